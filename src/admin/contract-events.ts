/** The messages of `/api/events`, in llama-swap's shape: each is `{type, data}` with `data` as JSON inside a text. */
import { z } from 'zod';

const modelStatusSchema = z.array(
  z.strictObject({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    /** Empty for models of peers. */
    state: z.enum(['', 'stopped', 'starting', 'ready', 'stopping']),
    unlisted: z.boolean(),
    /** Empty for models of our own. */
    peerID: z.string(),
    aliases: z.array(z.string()),
    capabilities: z.record(z.string(), z.literal(true)).optional(),
    context_length: z.int().optional(),
  }),
);

const headers = z.record(z.string(), z.string());

const inflightRequestSchema = z.strictObject({
  id: z.string(),
  timestamp: z.iso.datetime(),
  model: z.string(),
  req_path: z.string(),
  method: z.string(),
  req_headers: headers,
  remote_ip: z.string(),
  resp_headers: headers,
  resp_bytes: z.int().min(0),
  elapsed_ms: z.int().min(0),
  metadata: headers.optional(),
  /** Where it is: `queued`, `connecting`, `waiting` or `streaming`. */
  phase: z.string(),
});

const inflightSchema = z.discriminatedUnion('operation', [
  z.strictObject({ operation: z.literal('snapshot'), requests: z.array(inflightRequestSchema) }),
  z.strictObject({ operation: z.literal('upsert'), request: inflightRequestSchema }),
  z.strictObject({ operation: z.literal('remove'), id: z.string() }),
]);

/** By type. */
export const eventDataSchemas = {
  modelStatus: modelStatusSchema,
  logData: z.strictObject({ source: z.enum(['proxy', 'upstream']), data: z.string() }),
  /** A hint to read `/api/metrics/activity` again. */
  activity: z.strictObject({ id: z.int() }),
  inflight: inflightSchema,
  uiConfig: z.strictObject({ activity: z.strictObject({ session_id: z.array(z.string()) }) }),
  /** A command around a model has ended. */
  hook: z.strictObject({
    model: z.string(),
    event: z.enum(['on_load', 'on_unload']),
    /** Without its arguments. */
    program: z.string(),
    ok: z.boolean(),
    /** Empty where there is none. */
    problem: z.string(),
    duration_ms: z.int().min(0),
  }),
  profileChanged: z.strictObject({ active: z.string().nullable() }),
} as const;

export type EventType = keyof typeof eventDataSchemas;
export type EventData<Type extends EventType> = z.infer<(typeof eventDataSchemas)[Type]>;
export type ModelStatusBody = z.infer<typeof modelStatusSchema>;
export type InflightRequestBody = z.infer<typeof inflightRequestSchema>;
