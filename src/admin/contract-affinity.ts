/** What the routes about affinity take and answer. `enabled`, `ttl` and `entries` are those of nomyo-router. */
import { z } from 'zod';

const count = z.int().min(0);
const name = z.string();

export const affinityStatsSchema = z.strictObject({
  /** Conversations are remembered. */
  enabled: z.boolean(),
  /** Seconds. */
  ttl: z.number(),
  /** Where conversations went last; the most recent first, no names of conversations. */
  entries: z.array(z.strictObject({ endpoint: name, model: name.nullable(), remaining: z.number().min(0) })),
  sessions: count,
  prefix: z.strictObject({
    blocks: count,
    /** 0 = nothing was remembered yet. */
    blocks_max: count,
    backends: z.array(
      z.strictObject({
        backend_id: name,
        hits: count,
        misses: count,
        /** Nothing was believed to be cached. */
        cold: count,
        /** The engine does not say what was cached. */
        untold: count,
        prompt_tokens: count,
        predicted_tokens: count,
        cached_tokens: count,
        /** Blocks that the engine turned out not to have. */
        forgotten: count,
        /** Blocks that went because `affinity.prefix.memory` was full. */
        evicted: count,
        models: z.array(z.strictObject({ model_id: name.nullable(), blocks: count })),
      }),
    ),
  }),
});

export const affinitySchema = z.strictObject({
  model_id: name.nullable(),
  /** The conversation is recognised, by a header or its opening. */
  session: z.boolean(),
  /** null = there is none, or it is too short to be worth finding again. */
  prompt: z.strictObject({ bytes: count, blocks: count }).nullable(),
  /** null = it would have to wait. */
  backend_id: name.nullable(),
  /** The best first, then those that are left out. */
  candidates: z.array(
    z.strictObject({
      backend_id: name,
      excluded_by: name.nullable(),
      score: z.number(),
      scores: z.record(z.string(), z.number()),
    }),
  ),
});

export const affinityQuery = z.strictObject({
  path: z.string().startsWith('/').max(512).default('/v1/chat/completions'),
  /** Name of the API key, else the client's address. */
  flow: z.string().max(256).default(''),
});
export const affinityStatsQuery = z.strictObject({
  limit: z.coerce.number().int().min(0).max(1000).default(100),
});

export type AffinityStatsBody = z.infer<typeof affinityStatsSchema>;
export type AffinityBody = z.infer<typeof affinitySchema>;
