/** What `/api/keys` answers. Never a key, nor anything it could be found from. */
import { z } from 'zod';

const rate = z.strictObject({
  limit: z.number(),
  remaining: z.number(),
  /** Until all of it is there again. */
  reset_ms: z.number(),
});

/** `limit`: null = none. */
const budget = z.strictObject({
  limit: z.number().nullable(),
  used: z.number(),
  /** By requests that run. */
  reserved: z.number(),
  /** Until the window ends, in UTC. */
  reset_ms: z.number(),
});

export const keysSchema = z.strictObject({
  required: z.boolean(),
  keys: z.array(
    z.strictObject({
      name: z.string(),
      source: z.enum(['config', 'file']),
      admin: z.enum(['none', 'read', 'full']),
      /** Patterns; null = all. */
      models: z.array(z.string()).nullable(),
      /** null = all. */
      routes: z.array(z.string()).nullable(),
      priority: z.number().nullable(),
      expires: z.string().nullable(),
      expired: z.boolean(),
      /** null = no limit. */
      concurrency: z.number().nullable(),
      running: z.number(),
      requests_per_minute: rate.nullable(),
      tokens_per_minute: rate.nullable(),
      tokens_per_day: budget,
      tokens_per_month: budget,
    }),
  ),
});

export type KeysBody = z.infer<typeof keysSchema>;
