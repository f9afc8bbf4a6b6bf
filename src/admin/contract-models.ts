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

export const loadQuery = z.strictObject({ wait: z.enum(['true', 'false']).default('true') });
export const profileChoice = z.object({ name: z.string().nullable() });

export type RunningBody = z.infer<typeof runningSchema>;
export type ProfilesBody = z.infer<typeof profilesSchema>;
export type VersionBody = z.infer<typeof versionSchema>;
