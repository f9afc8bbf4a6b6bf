/** What the routes about past requests take and answer: llama-swap's words, with times apart and in milliseconds. */
import { z } from 'zod';
import { outcomes } from '../domain/outcome.ts';
import { sortColumns, type ActivitySort } from '../store/activity.ts';

const count = z.int().min(0);
/** −1 = unknown. */
const known = z.number().min(-1);

export const activityEntrySchema = z.strictObject({
  id: z.int().min(1),
  timestamp: z.iso.datetime(),
  model: z.string(),
  req_path: z.string(),
  resp_content_type: z.string(),
  /** 0 = none was sent. */
  resp_status_code: count,
  tokens: z.strictObject({
    cache_tokens: known,
    draft_tokens: known,
    draft_acc_tokens: known,
    input_tokens: count,
    output_tokens: count,
    prompt_per_second: known,
    tokens_per_second: known,
  }),
  duration_ms: count,
  has_capture: z.boolean(),
  error_msg: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  request_id: z.string(),
  backend_id: z.string(),
  outcome: z.enum(outcomes),
  /** Name of the API key, else the client's address. */
  flow: z.string(),
  /** The loading of the model included. */
  queued_ms: count,
  load_ms: count,
  /** From the slot to the first byte. */
  prompt_ms: count,
  generation_ms: count,
});

export const activitySchema = z.strictObject({
  data: z.array(activityEntrySchema),
  page: count,
  limit: count,
  total: count,
  total_pages: count,
});

const histogram = z
  .strictObject({
    bins: z.array(count),
    min: z.number(),
    max: z.number(),
    binSize: z.number(),
    p50: z.number(),
    p95: z.number(),
    p99: z.number(),
  })
  .nullable();

export const activityStatsSchema = z.strictObject({
  total_requests: count,
  total_input_tokens: count,
  total_output_tokens: count,
  total_cache_tokens: count,
  prompt_histogram: histogram,
  gen_histogram: histogram,
});

/** Bodies are Base64. */
export const captureSchema = z.strictObject({
  id: count,
  req_path: z.string(),
  req_headers: z.record(z.string(), z.string()),
  req_body: z.base64(),
  resp_headers: z.record(z.string(), z.string()),
  resp_body: z.base64(),
});

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const id = z.coerce.number().int().min(1);
const modelNames = z
  .array(z.string())
  .default([])
  .transform((names) => names.filter((name) => name.trim() !== ''));

export const activityQuery = z
  .object({
    model: modelNames,
    start: time.optional(),
    end: time.optional(),
    min_id: id.optional(),
    max_id: id.optional(),
    limit: z.coerce.number().int().min(1).max(999).default(25),
    page: z.coerce.number().int().min(1).default(1),
    sort: z.enum(Object.keys(sortColumns) as [ActivitySort, ...ActivitySort[]]).default('id'),
    order: z.enum(['asc', 'desc']).default('desc'),
  })
  .refine(({ start, end }) => start === undefined || end === undefined || start <= end, {
    path: ['start'],
    message: 'is after end',
  })
  .refine(({ min_id: min, max_id: max }) => min === undefined || max === undefined || min <= max, {
    path: ['min_id'],
    message: 'is greater than max_id',
  });

export const activityStatsQuery = z.object({ model: modelNames });
export const captureParams = z.strictObject({ id: z.coerce.number().int().min(0) });

export type ActivityEntry = z.infer<typeof activityEntrySchema>;
export type ActivityBody = z.infer<typeof activitySchema>;
export type ActivityStatsBody = z.infer<typeof activityStatsSchema>;
export type CaptureBody = z.infer<typeof captureSchema>;
