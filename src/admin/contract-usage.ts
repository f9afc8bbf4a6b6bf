/** What the routes of the accounts take and answer. Some have the shape of nomyo-router's, so that its dashboard's readers work. */
import { z } from 'zod';
import { dialects } from '../store/usage-entry.ts';

const count = z.int().min(0);
const name = z.string();

const countsShape = {
  input_tokens: count,
  output_tokens: count,
  total_tokens: count,
  /** Part of the input. */
  cached_tokens: count,
  /** Part of the output. */
  reasoning_tokens: count,
  requests: count,
  errors: count,
  /** Requests whose tokens are guessed, as the engine told none. */
  estimated_requests: count,
};

export const usageCountsSchema = z.strictObject(countsShape);

/** By backend, then by model. */
const byBackend = z.record(name, z.record(name, count));

export const usageSchema = z.strictObject({
  /** Running requests. */
  usage_counts: byBackend,
  /** Input and output of all that is kept. */
  token_usage_counts: byBackend,
});

export const tokenCountsSchema = z.strictObject({
  ...countsShape,
  breakdown: z.array(z.strictObject({ endpoint: name, model: name, ...countsShape })),
});

export const statsSchema = z.strictObject({
  model: name,
  ...countsShape,
  /** Newest first. */
  time_series: z.array(
    z.strictObject({
      endpoint: name,
      ...countsShape,
      /** Seconds since 1970. */
      timestamp: count,
      seconds: count,
    }),
  ),
  endpoint_distribution: z.record(name, count),
});

export const usageKeysSchema = z.strictObject({
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  keys: z.array(z.strictObject({ key: name, ...countsShape })),
});

export const usageSeriesSchema = z.strictObject({
  by: z.enum(['key', 'model', 'backend']),
  step: z.enum(['minute', 'hour', 'day']),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  /** There are more points than these. */
  truncated: z.boolean(),
  series: z.array(
    z.strictObject({
      name,
      points: z.array(
        z.strictObject({
          at: z.iso.datetime(),
          /** What the point stands for: more than a step where only that is kept. */
          seconds: count,
          ...countsShape,
        }),
      ),
    }),
  ),
});

export const usageRowSchema = z.strictObject({
  start: z.iso.datetime(),
  seconds: count,
  key: name,
  backend: name,
  model: name,
  dialect: z.enum(dialects),
  ...countsShape,
});

/** In the words of nomyo's dashboard; `id` and `state` are ours. */
export const endpointsSchema = z.strictObject({
  endpoints: z.array(
    z.strictObject({
      id: name,
      url: name,
      status: z.enum(['ok', 'error']),
      state: name,
      version: name.optional(),
      detail: name.optional(),
    }),
  ),
  llama_server_endpoints: z.array(name),
  require_router_api_key: z.boolean(),
});

/** ISO 8601, or seconds since 1970; milliseconds after parsing. */
const time = z.union(
  [
    z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
    z
      .string()
      .regex(/^\d{1,11}$/)
      .transform((text) => Number(text) * 1000),
  ],
  { error: 'must be a time such as 2026-05-04T09:30:00Z, or seconds since 1970' },
);
const bounds = { from: time.optional(), to: time.optional() };
const ordered = ({ from, to }: { from?: number | undefined; to?: number | undefined }): boolean =>
  from === undefined || to === undefined || from < to;
const unordered = { path: ['from'], message: 'is not before to' };
const model = z.string().min(1).max(512);

export const statsQuery = z.strictObject({
  model,
  range: z.enum(['1h', '1d', '7d', '30d', 'all']).default('all'),
});
export const usageKeysQuery = z
  .strictObject({
    ...bounds,
    model: model.optional(),
    limit: z.coerce.number().int().min(1).max(1000).default(100),
  })
  .refine(ordered, unordered);
export const usageSeriesQuery = z
  .strictObject({
    ...bounds,
    model: model.optional(),
    by: z.enum(['key', 'model', 'backend']).default('model'),
    step: z.enum(['minute', 'hour', 'day']).default('hour'),
  })
  .refine(ordered, unordered);
export const usageExportQuery = z
  .strictObject({ ...bounds, model: model.optional(), format: z.enum(['csv', 'json']).default('csv') })
  .refine(ordered, unordered);
export const configQuery = z.strictObject({ format: z.enum(['json', 'yaml']).default('json') });
/** `require`: what has to be alive for the answer to be 200. */
export const healthQuery = z.strictObject({ require: z.enum(['none', 'any', 'all']).default('none') });

export type UsageCountsBody = z.infer<typeof usageCountsSchema>;
export type UsageBody = z.infer<typeof usageSchema>;
export type TokenCountsBody = z.infer<typeof tokenCountsSchema>;
export type StatsBody = z.infer<typeof statsSchema>;
export type UsageKeysBody = z.infer<typeof usageKeysSchema>;
export type UsageSeriesBody = z.infer<typeof usageSeriesSchema>;
export type UsageRowBody = z.infer<typeof usageRowSchema>;
export type EndpointsBody = z.infer<typeof endpointsSchema>;
