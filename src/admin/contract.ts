/**
 * What the admin API takes and answers: the one description for the server, the monitor page and tests. Bodies are
 * snake_case like those of every inference API; durations are seconds unless the name says ms, times are ISO 8601.
 */
import { z } from 'zod';
import { backendStates } from '../domain/backend-view.ts';
import { engineNames } from '../domain/engine-names.ts';
import { outcomes } from '../domain/outcome.ts';
import { cacheResults } from '../store/cache/cache-use.ts';
import { storeNames } from '../store/store-faults.ts';
import { usageCountsSchema } from './contract-usage.ts';

const seconds = z.number().min(0);
const count = z.int().min(0);
const time = z.iso.datetime();
const name = z.string();

export const trafficSchema = z.strictObject({
  requests: count,
  failures: count,
  input_tokens: count,
  output_tokens: count,
  cached_tokens: count,
  requests_per_minute: z.number().min(0),
  output_tokens_per_second: z.number().min(0),
});

const memorySchema = z.strictObject({ vram_bytes: count.nullable(), ram_bytes: count.nullable() });

export const backendSchema = z.strictObject({
  id: name,
  /** Without credentials and query. */
  url: z.string(),
  engine: z.enum(engineNames),
  engine_version: z.string().nullable(),
  state: z.enum(backendStates),
  /** Why it is not simply live. */
  reason: z.string().nullable(),
  slots: z.strictObject({
    total: count,
    own: count,
    lingering: count,
    foreign: count,
    free: count,
    /** The engine's own count. */
    busy_reading: count.nullable(),
  }),
  models: z.array(name),
  loaded: z.array(name),
  /** Failed there of late: other backends get their requests as long as any can. */
  distrusted: z.array(name),
  models_max: count.nullable(),
  in_flight_by_model: z.record(name, count),
  /** Reserved for this model, for so long. */
  sticky_to: name.nullable(),
  sticky_seconds: seconds.nullable(),
  /** So much longer it is kept though others wait for its place, as it is likely to be wanted or only just loaded; null = it is not. */
  kept_seconds: seconds.nullable(),
  /** The waiting request that it empties itself for. */
  claimed_for: name.nullable(),
  /** null = nobody watches the GPUs of its machine, or there are none. Within: null = not told, or not lately. */
  gpu: z
    .strictObject({
      /** Mean over all of them, 0 to 100. */
      load_percent: z.number().min(0).max(100).nullable(),
      count: count.nullable(),
      memory_used_bytes: z.number().min(0).nullable(),
      memory_total_bytes: z.number().min(0).nullable(),
      /** Of the hottest one. */
      temperature_celsius: z.number().nullable(),
    })
    .nullable(),
  /** Bytes; null = not a process of the router's own, or not known. */
  memory: z.strictObject({ need: memorySchema, measured: memorySchema }).nullable(),
  /** null = not a process of the router's own. */
  process: z
    .strictObject({
      /** null = it does not run. */
      pid: z.int().min(1).nullable(),
      /** Unloaded after so long without a request; 0 = never. */
      ttl_seconds: seconds,
    })
    .nullable(),
  weight: z.number(),
  priority: z.number(),
  probe: z.strictObject({
    at: time.nullable(),
    duration_ms: z.number().min(0).nullable(),
    error: z.string().nullable(),
    failures_in_row: count,
  }),
  traffic: trafficSchema,
});

export const requestSchema = z.strictObject({
  request_id: name,
  phase: z.enum(['reading', 'queued', 'connecting', 'waiting', 'streaming', 'finished']),
  route: name,
  model_id: name.nullable(),
  /** The name that the client asked for. */
  requested_model: name.nullable(),
  /** Id of the selector that chose the model. */
  selector: name.nullable(),
  /** Name of the ensemble that answers. */
  ensemble: name.nullable(),
  /** What the cache of answers did for it; null = it was not asked to. */
  cache: z.enum(cacheResults).nullable(),
  /** The request that this one of the router's own is part of, and what it is for there; null = a client sent it. */
  parent: z.strictObject({ request_id: name, purpose: name }).nullable(),
  /** A short hash: equal for requests of one conversation. */
  session_id: name.nullable(),
  backend_id: name.nullable(),
  stream: z.boolean(),
  started_at: time,
  age_seconds: seconds,
  /** 1 = next; null = not waiting, or too far behind to be listed. */
  position: count.nullable(),
  priority: z.number().nullable(),
  queued_ms: z.number().min(0).nullable(),
  first_byte_ms: z.number().min(0).nullable(),
  total_ms: z.number().min(0).nullable(),
  estimated_tokens: count,
  input_tokens: count.nullable(),
  output_tokens: count.nullable(),
  cached_tokens: count.nullable(),
  /** How far the engine is in the prompt, in tokens; null = it does not tell, or has not begun. */
  prompt_progress: z.strictObject({ done: count, total: count }).nullable(),
  /** What was changed for the backend and in its answer: `trimContext(12)`, `dropTools` … */
  repairs: z.array(name),
  status: z.int().nullable(),
  outcome: z.enum(outcomes).nullable(),
  error_code: z.string().nullable(),
  attempts: z.array(z.strictObject({ backend_id: name, failure: z.string().nullable() })),
});

/** What only callers with a key get to see. */
export const requestDetailSchema = requestSchema.extend({
  method: z.string(),
  path: z.string(),
  /** Name of the API key, else the client's address. */
  flow: z.string(),
  bytes_in: count,
  bytes_out: count,
});

export const healthSchema = z.strictObject({
  /** error: fewer backends are well than `require` wants. */
  status: z.enum(['ok', 'error', 'draining']),
  backends: z.strictObject({ total: count, live: count }),
  /** Empty for callers who may not see names. */
  endpoints: z.record(
    name,
    z.strictObject({
      status: z.enum(['ok', 'error']),
      version: z.string().optional(),
      detail: z.string().optional(),
    }),
  ),
  queued: count,
  in_flight: count,
  /** Their last write failed; requests go on. */
  stores_failing: z.array(z.enum(storeNames)),
});

export const reloadSchema = z.strictObject({ at: time, ok: z.boolean(), problems: z.array(z.string()) });

export const statusSchema = z.strictObject({
  version: z.string(),
  started_at: time,
  uptime_seconds: seconds,
  listen: z.array(z.string()),
  demo: z.boolean(),
  draining: z.boolean(),
  keys_required: z.boolean(),
  config: z.strictObject({ file: z.string().nullable(), last_reload: reloadSchema.nullable() }),
  queue: z.strictObject({ depth: count }),
  requests: z.strictObject({ total: count, in_flight: count, by_outcome: z.record(z.enum(outcomes), count) }),
  sessions: count,
  traffic: trafficSchema,
  backends: z.array(backendSchema),
  /** What Ollama's clients look for on this path. */
  cloud: z.strictObject({ disabled: z.literal(true), source: z.literal('none') }),
});

export const requestsSchema = z.strictObject({
  queued: z.array(requestDetailSchema),
  running: z.array(requestDetailSchema),
  recent: z.array(requestDetailSchema),
});

export const decisionsSchema = z.strictObject({
  decisions: z.array(
    z.strictObject({
      request_id: name,
      model_id: name.nullable(),
      backend_id: name,
      at: time,
      waited_ms: z.number().min(0),
      attempt: count,
      overtook: count,
      picker: z.string(),
      candidates: z.array(
        z.strictObject({
          backend_id: name,
          excluded_by: z.string().nullable(),
          score: z.number(),
          scores: z.record(z.string(), z.number()),
        }),
      ),
    }),
  ),
});

export const cancelledSchema = z.strictObject({ request_id: name, cancelled: z.literal(true) });
export const backendActionSchema = z.strictObject({
  backend_id: name,
  action: z.enum(['drain', 'resume', 'probe']),
});

export const demoParams = z.strictObject({ action: z.enum(['start', 'stop']) });

/** `uptime`, `total_requests` and the fields of `queue` are those of llamacpp-ha's feed, so that its readers work. */
export const monitorSchema = z.strictObject({
  version: z.string(),
  now: time,
  uptime: seconds,
  total_requests: count,
  demo: z.boolean(),
  /** Whether the simulated users of a demo are at work; null = no demo. */
  demo_traffic: z.boolean().nullable(),
  draining: z.boolean(),
  keys_required: z.boolean(),
  /** The caller may see figures alone: every list is empty and every text left out. */
  names_hidden: z.boolean(),
  reload_problem: z.string().nullable(),
  listen: z.array(z.string()),
  queue_depth: count,
  /** Of the next 200 in the queue; 0 = nobody waits. */
  longest_wait_seconds: seconds,
  queue: z.array(
    z.strictObject({
      request_id: name,
      model_id: name.nullable(),
      session_id: name.nullable(),
      wait_seconds: seconds,
      estimated_tokens: count,
      priority: z.number(),
      position: count,
      overtaken: count,
      attempt: count,
    }),
  ),
  /** Running requests, those that still wait not counted. */
  in_flight_count: count,
  in_flight: z.array(requestSchema),
  recent: z.array(requestSchema),
  by_outcome: z.record(z.enum(outcomes), count),
  sessions: count,
  traffic: trafficSchema,
  models: z.array(
    z.strictObject({
      model_id: name,
      loaded_on: z.array(name),
      /** What its process does; null = the router starts none for it. */
      state: z.enum(['stopped', 'starting', 'ready', 'stopping', 'failed']).nullable(),
      in_flight: count,
      queued: count,
      traffic: trafficSchema,
    }),
  ),
  backends: z.array(backendSchema),
  backends_total: count,
  /** Those that take requests. */
  backends_live: count,
  /** Of the live ones. */
  slots: z.strictObject({ total: count, own: count, lingering: count, foreign: count }),
  /** From midnight UTC on; models with the most tokens first. */
  tokens: z.strictObject({
    today: usageCountsSchema,
    models: z.array(usageCountsSchema.extend({ name })),
    /** Input and output of each of the last sixty minutes. */
    hour: z.strictObject({ at_epoch_s: z.array(count), tokens: z.array(count) }),
  }),
  /** What the cache of answers did since it began to count; null = no answers are kept. */
  cache: z
    .strictObject({
      hits: count,
      semantic_hits: count,
      misses: count,
      saved_input_tokens: count,
      saved_output_tokens: count,
    })
    .nullable(),
  history: z.strictObject({
    at_epoch_s: z.array(count),
    tokens_per_second: z.array(z.number()),
    requests_per_minute: z.array(z.number()),
    queued: z.array(count),
    slots_used: z.array(count),
    slots_total: z.array(count),
  }),
});

export const errorSchema = z.strictObject({
  error: z.strictObject({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string(),
  }),
});

const limit = z.coerce.number().int().min(1).max(1000);

export const requestsQuery = z.strictObject({ limit: limit.default(50) });
export const decisionsQuery = z.strictObject({
  model: z.string().min(1).max(512).optional(),
  request: z.string().min(1).max(128).optional(),
  limit: limit.default(50),
});
export const noQuery = z.strictObject({});
export const requestParams = z.strictObject({ id: z.string().min(1).max(128) });
export const backendParams = z.strictObject({
  id: z.string().min(1).max(256),
  action: z.enum(['drain', 'resume', 'probe']),
});

export type TrafficBody = z.infer<typeof trafficSchema>;
export type BackendBody = z.infer<typeof backendSchema>;
export type RequestBody = z.infer<typeof requestSchema>;
export type RequestDetailBody = z.infer<typeof requestDetailSchema>;
export type HealthBody = z.infer<typeof healthSchema>;
export type ReloadBody = z.infer<typeof reloadSchema>;
export type StatusBody = z.infer<typeof statusSchema>;
export type RequestsBody = z.infer<typeof requestsSchema>;
export type DecisionsBody = z.infer<typeof decisionsSchema>;
export type MonitorBody = z.infer<typeof monitorSchema>;
export type ErrorBody = z.infer<typeof errorSchema>;
