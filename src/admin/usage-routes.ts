/** The accounts of tokens: what runs now, sums, series and files. Reading only; times are in UTC. */
import type { Context, Hono } from 'hono';
import { LlameroError } from '../domain/errors.ts';
import type { UsageField } from '../store/usage-query.ts';
import {
  statsQuery,
  usageExportQuery,
  usageKeysQuery,
  usageSeriesQuery,
  type StatsBody,
  type UsageKeysBody,
  type UsageSeriesBody,
} from './contract-usage.ts';
import type { AdminDeps } from './deps.ts';
import {
  describeCounts,
  describeSeries,
  describeStats,
  describeTokenCounts,
  describeUsage,
} from './describe-usage.ts';
import { addRoute, check, checkQuery, isHead } from './routing.ts';
import { exportTypes, exportUsage } from './usage-export.ts';
import { UsageFeed } from './usage-feed.ts';
import { isoTime } from './values.ts';

type Deps = Pick<AdminDeps, 'requests' | 'usage' | 'ending' | 'clock'>;

const pointsMax = 50_000;
/** Steps of one series: a chart has no use for more. */
const stepsMax = 10_000;
const [minuteMs, hourMs, dayMs] = [60_000, 3_600_000, 86_400_000];

const steps = {
  minute: { stepMs: minuteMs, usualMs: hourMs },
  hour: { stepMs: hourMs, usualMs: 2 * dayMs },
  day: { stepMs: dayMs, usualMs: 30 * dayMs },
} as const;

/** How far back, and how finely. */
const statsRanges = {
  '1h': { rangeMs: hourMs, stepMs: minuteMs },
  '1d': { rangeMs: dayMs, stepMs: minuteMs },
  '7d': { rangeMs: 7 * dayMs, stepMs: hourMs },
  '30d': { rangeMs: 30 * dayMs, stepMs: hourMs },
  all: { rangeMs: Infinity, stepMs: dayMs },
} as const;

const fields = { key: 'flow', model: 'model', backend: 'backend' } as const satisfies Record<
  string,
  UsageField
>;

export function addUsageRoutes(app: Hono, deps: Deps): void {
  const { requests, usage } = deps;
  const feed = new UsageFeed(deps);
  addRoute(app, '/api/usage', {
    GET: (context) => context.json(describeUsage(requests.inFlight(), usage.totals())),
  });
  addRoute(app, '/api/usage-stream', {
    GET: (context) => {
      const headers = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' };
      return isHead(context) ? context.body(null, 200, headers) : context.body(feed.open(), 200, headers);
    },
  });
  addRoute(app, '/api/token_counts', { GET: (context) => context.json(describeTokenCounts(usage.totals())) });
  addRoute(app, '/api/stats', {
    GET: (context) => context.json(statsBody(checkQuery(context, statsQuery), deps)),
    POST: async (context) => context.json(statsBody(check(statsQuery, await bodyOrQuery(context)), deps)),
  });
  addRoute(app, '/api/usage/keys', { GET: (context) => context.json(keysBody(context, deps)) });
  addRoute(app, '/api/usage/series', { GET: (context) => context.json(seriesBody(context, deps)) });
  addRoute(app, '/api/usage/export', { GET: (context) => exportFile(context, deps) });
}

/** @throws LlameroError `not_found` when nothing is kept of the model. */
function statsBody(
  { model, range }: { readonly model: string; readonly range: keyof typeof statsRanges },
  { usage, clock }: Deps,
): StatsBody {
  const totals = usage.totals().filter((total) => total.model === model);
  if (totals.length === 0) {
    throw new LlameroError('not_found', `Nothing was used of a model '${model}'`, { param: 'model' });
  }
  const { rangeMs, stepMs } = statsRanges[range];
  const toEpochMs = clock.epochMs() + 1;
  const points = usage.series({
    fromEpochMs: Math.max(0, toEpochMs - rangeMs),
    toEpochMs,
    model,
    by: 'backend',
    stepSeconds: stepMs / 1000,
    limit: pointsMax,
  });
  return describeStats(model, totals, points);
}

/** nomyo's dashboard sends the model in either. */
async function bodyOrQuery({ req }: Context): Promise<unknown> {
  const text = await req.text();
  if (text.trim() === '') return req.query();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new LlameroError('request_malformed', 'The body is not JSON');
  }
}

function keysBody(context: Context, { usage, clock }: Deps): UsageKeysBody {
  const { model, limit, to = clock.epochMs() + 1, from = to - dayMs } = checkQuery(context, usageKeysQuery);
  const sums = usage.sums({ fromEpochMs: from, toEpochMs: to, model, by: 'flow', limit });
  return {
    from: isoTime(from),
    to: isoTime(to),
    keys: sums.map(({ name, counts }) => ({ key: name, ...describeCounts(counts) })),
  };
}

function seriesBody(context: Context, { usage, clock }: Deps): UsageSeriesBody {
  const query = checkQuery(context, usageSeriesQuery);
  const { stepMs, usualMs } = steps[query.step];
  const { by, step, model, to = clock.epochMs() + 1 } = query;
  const wanted = query.from ?? Math.max(0, to - usualMs);
  const from = wanted - (wanted % stepMs);
  if ((to - from) / stepMs > stepsMax) {
    const text = `Parameter step: more than ${stepsMax} of them are in that range`;
    throw new LlameroError('request_malformed', text, { param: 'step' });
  }
  const points = usage.series({
    fromEpochMs: from,
    toEpochMs: to,
    model,
    by: fields[by],
    stepSeconds: stepMs / 1000,
    limit: pointsMax + 1,
  });
  return {
    by,
    step,
    from: isoTime(from),
    to: isoTime(to),
    truncated: points.length > pointsMax,
    series: describeSeries(points.slice(0, pointsMax)),
  };
}

function exportFile(context: Context, { usage, clock }: Deps): Response {
  const { format, model, from = 0, to = clock.epochMs() + 1 } = checkQuery(context, usageExportQuery);
  const headers = {
    'content-type': exportTypes[format],
    'content-disposition': `attachment; filename="llamero-usage.${format}"`,
  };
  if (isHead(context)) return context.body(null, 200, headers);
  const rows = usage.rows({ fromEpochMs: from, toEpochMs: to, model });
  return context.body(exportUsage(rows, format), 200, headers);
}
