/** What the routes about answers that are given again answer. Those below `/api/cache/` are nomyo-router's. */
import { z } from 'zod';

const count = z.int().min(0);

export const cacheSchema = z.strictObject({
  enabled: z.boolean(),
  store: z.enum(['memory', 'sqlite', 'valkey']),
  /** null = the store does not count. */
  entries: count.nullable(),
  bytes: count.nullable(),
  /** Here and below: since the router started, or the cache was cleared. */
  hits: count,
  /** Part of `hits`: the question was only similar. */
  semantic_hits: count,
  misses: count,
  /** From 0 to 1; null = nobody has asked. */
  hit_rate: z.number().min(0).max(1).nullable(),
  /** Tokens of the hits, as they were counted when an engine gave the answers; nobody is charged for them. */
  saved_input_tokens: count,
  saved_output_tokens: count,
  stored: count,
  /** Answers that came and were not kept. */
  not_stored: count,
});

export const cacheStatsSchema = z.union([
  z.strictObject({ enabled: z.literal(false) }),
  z.strictObject({
    enabled: z.literal(true),
    hits: count,
    misses: count,
    /** Of all that were looked for, to three decimals. */
    hit_rate: z.number().min(0).max(1),
    semantic: z.boolean(),
    backend: z.string(),
    similarity_threshold: z.number(),
    /** null = what was said before must be the same. */
    history_weight: z.number().nullable(),
  }),
]);

export const cacheInvalidatedSchema = z.strictObject({ enabled: z.boolean(), cleared: z.boolean() });

export type CacheBody = z.infer<typeof cacheSchema>;
export type CacheStatsBody = z.infer<typeof cacheStatsSchema>;
export type CacheInvalidatedBody = z.infer<typeof cacheInvalidatedSchema>;
