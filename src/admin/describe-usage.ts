/** The accounts as the API shows them. Pure, but for reading what it is given. */
import type { Backend } from '../engines/backend.ts';
import type { RequestRecord } from '../store/request-record.ts';
import type { UsagePoint, UsageRow } from '../store/usage-query.ts';
import { addUsage, noUsage, type UsageCounts } from '../store/usage-entry.ts';
import type { UsageTotal } from '../store/usage.ts';
import type {
  EndpointsBody,
  StatsBody,
  TokenCountsBody,
  UsageBody,
  UsageCountsBody,
  UsageRowBody,
  UsageSeriesBody,
} from './contract-usage.ts';
import { describeEndpoint } from './describe-backend.ts';
import { isoTime } from './values.ts';

export function describeCounts(counts: UsageCounts): UsageCountsBody {
  return {
    input_tokens: counts.inputTokens,
    output_tokens: counts.outputTokens,
    total_tokens: counts.inputTokens + counts.outputTokens,
    cached_tokens: counts.cachedTokens,
    reasoning_tokens: counts.reasoningTokens,
    requests: counts.requests,
    errors: counts.errors,
    estimated_requests: counts.estimated,
  };
}

/** What runs now, and all tokens; refused requests have no backend and are left out. Keys are sorted. */
export function describeUsage(running: Iterable<RequestRecord>, totals: readonly UsageTotal[]): UsageBody {
  const requests = new Counts();
  for (const { backend, model = '', phase } of running) {
    if (backend !== undefined && phase !== 'queued') requests.add(backend, model, 1);
  }
  const tokens = new Counts();
  for (const { backend, model, counts } of totals) {
    if (backend !== '') tokens.add(backend, model, counts.inputTokens + counts.outputTokens);
  }
  return { usage_counts: requests.sorted(), token_usage_counts: tokens.sorted() };
}

/** The most tokens first. */
export function describeTokenCounts(totals: readonly UsageTotal[]): TokenCountsBody {
  const breakdown = totals
    .map(({ backend, model, counts }) => ({ endpoint: backend, model, ...describeCounts(counts) }))
    .sort((left, right) => right.total_tokens - left.total_tokens);
  return { ...describeCounts(sumOf(totals)), breakdown };
}

/** `totals` and `points` are those of the model, points by backend. */
export function describeStats(
  model: string,
  totals: readonly UsageTotal[],
  points: readonly UsagePoint[],
): StatsBody {
  const tokens = totals.map(
    ({ backend, counts }) => [backend, counts.inputTokens + counts.outputTokens] as const,
  );
  return {
    model,
    ...describeCounts(sumOf(totals)),
    time_series: points.toReversed().map(({ name, startEpochMs, seconds, counts }) => ({
      endpoint: name,
      ...describeCounts(counts),
      timestamp: startEpochMs / 1000,
      seconds,
    })),
    endpoint_distribution: Object.fromEntries(tokens),
  };
}

export function describeSeries(points: readonly UsagePoint[]): UsageSeriesBody['series'] {
  const byName = Map.groupBy(points, ({ name }) => name);
  return [...byName].map(([name, own]) => ({
    name,
    points: own.map(({ startEpochMs, seconds, counts }) => ({
      at: isoTime(startEpochMs),
      seconds,
      ...describeCounts(counts),
    })),
  }));
}

export function describeUsageRow(row: UsageRow): UsageRowBody {
  return {
    start: isoTime(row.startEpochMs),
    seconds: row.seconds,
    key: row.flow,
    backend: row.backend,
    model: row.model,
    dialect: row.dialect,
    ...describeCounts(row.counts),
  };
}

export function describeEndpoints(backends: readonly Backend[], keysRequired: boolean): EndpointsBody {
  return {
    endpoints: backends.map((backend) => describeEndpoint(backend)),
    llama_server_endpoints: backends
      .filter(({ kind }) => kind.name === 'llamacpp')
      .map((backend) => describeEndpoint(backend).url),
    require_router_api_key: keysRequired,
  };
}

export function sumOf(all: readonly { readonly counts: UsageCounts }[]): UsageCounts {
  return all.reduce((sum, { counts }) => addUsage(sum, counts), noUsage);
}

/** Numbers by backend and model. Names come from outside, so that none may be taken for a member of an object. */
class Counts {
  readonly #byBackend = new Map<string, Map<string, number>>();

  add(backend: string, model: string, amount: number): void {
    const byModel = this.#byBackend.get(backend) ?? new Map<string, number>();
    this.#byBackend.set(backend, byModel);
    byModel.set(model, (byModel.get(model) ?? 0) + amount);
  }

  sorted(): Record<string, Record<string, number>> {
    return toSortedObject(
      [...this.#byBackend].map(([backend, byModel]) => [backend, toSortedObject([...byModel])]),
    );
  }
}

function toSortedObject<Value>(entries: [string, Value][]): Record<string, Value> {
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}
