/** What the routes about models, profiles and logs take and answer, in the words of llama-swap's clients. */
import { z } from 'zod';

export const runningSchema = z.strictObject({
  running: z.array(
    z.strictObject({
      model: z.string(),
      state: z.enum(['starting', 'ready', 'stopping']),
      cmd: z.string(),
      proxy: z.string(),
      /** Seconds; 0 = never unloaded for being idle. */
      ttl: z.number().min(0),
      name: z.string(),
      description: z.string(),
    }),
  ),
});

export const loadedSchema = z.strictObject({ model_id: z.string(), loaded: z.boolean() });

const planned = z.strictObject({
  model_id: z.string(),
  state: z.string().nullable(),
  would: z.enum(['load', 'unload', 'nothing', 'fail']),
  reason: z.string().optional(),
});

/** What a load would do. Bytes are null where nobody knows. */
export const loadPlanSchema = planned.extend({
  plan: z.literal('load'),
  need: z.strictObject({ vram_bytes: z.number().nullable(), ram_bytes: z.number().nullable() }),
  /** What would stop for it; `busy`: when its requests are over. */
  evicts: z.array(z.strictObject({ model_id: z.string(), busy: z.boolean() })),
  /** What stops already and would be waited for. */
  awaits: z.array(z.string()),
  /** What allows it: a group, a set, a budget. */
  because: z.string().nullable(),
});

/** What an unload would do: requests that run would get `unloadTimeout` to finish. */
export const unloadPlanSchema = z.strictObject({
  plan: z.literal('unload'),
  models: z.array(planned.extend({ requests: z.number() })),
});

/** A pin to nothing is an empty text. */
export const profilesSchema = z.strictObject({
  active: z.string().nullable(),
  profiles: z.array(
    z.strictObject({ id: z.string(), description: z.string(), pins: z.record(z.string(), z.string()) }),
  ),
});

export const versionSchema = z.strictObject({
  /** Of the Ollama API that is spoken here: its clients compare it before they use anything new. */
  version: z.string(),
  commit: z.string(),
  build_date: z.string(),
  /** Of this program. */
  llamero: z.string(),
});

const flag = z.enum(['true', 'false']);
export const loadQuery = z.strictObject({ wait: flag.default('true'), plan: flag.optional() });
export const planQuery = z.object({ plan: flag.optional() });
export const profileChoice = z.object({ name: z.string().nullable() });

export type RunningBody = z.infer<typeof runningSchema>;
export type LoadPlanBody = z.infer<typeof loadPlanSchema>;
export type UnloadPlanBody = z.infer<typeof unloadPlanSchema>;
export type ProfilesBody = z.infer<typeof profilesSchema>;
export type VersionBody = z.infer<typeof versionSchema>;
