/**
 * What the monitor page polls, also for readers of llamacpp-ha's feed. It holds nothing of callers, and is built at most
 * a few times a second however many look.
 */
import type { ModelName } from '../../domain/ids.ts';
import type { HistoryPoint } from '../../store/history.ts';
import type { TrafficReadings } from '../../store/traffic.ts';
import { takesRequests, uptimeSeconds } from '../answers.ts';
import type { MonitorBody } from '../contract.ts';
import type { AdminDeps, ModelControl, SchedulerReadings } from '../deps.ts';
import { describeBackends, describeTraffic } from '../describe-backend.ts';
import { describeRequest } from '../describe-request.ts';
import { isoTime, maskedSession, rounded } from '../values.ts';
import { figuresOnly } from './figures-only.ts';
import { createTokenReader } from './tokens.ts';

/** Most rows of each table; the counts beside them are of all. */
const rowsMax = 200;
const recentMax = 50;
/** Time for which one feed is good enough for everybody. */
const freshMs = 250;

/** The feed as JSON text. */
export interface MonitorFeed {
  /** All of it. */
  whole(): string;
  /** What needs no key where others do. */
  figures(): string;
}

export function createMonitorFeed(deps: AdminDeps): MonitorFeed {
  const tokens = createTokenReader(deps);
  let texts = { whole: '', figures: '' };
  let builtMs = -Infinity;
  const fresh = (): typeof texts => {
    const nowMs = deps.clock.nowMs();
    if (nowMs - builtMs >= freshMs) {
      const body = monitorBody(deps, tokens());
      texts = { whole: JSON.stringify(body), figures: JSON.stringify(figuresOnly(body)) };
      builtMs = nowMs;
    }
    return texts;
  };
  return { whole: () => fresh().whole, figures: () => fresh().figures };
}

export function monitorBody(deps: AdminDeps, tokens: MonitorBody['tokens']): MonitorBody {
  const { clock, requests } = deps;
  const scheduler = deps.snapshot(rowsMax);
  const traffic = requests.traffic();
  const totals = requests.totals();
  const backends = describeBackends({
    clock,
    backends: deps.backends(),
    scheduler,
    traffic,
    hostOf: deps.hostOf,
  });
  return {
    version: deps.version,
    now: isoTime(clock.epochMs()),
    uptime: uptimeSeconds(deps),
    total_requests: totals.opened,
    demo: deps.demo !== undefined,
    demo_traffic: deps.demo?.trafficRunning() ?? null,
    draining: deps.draining(),
    keys_required: deps.keysRequired(),
    names_hidden: false,
    reload_problem: deps.lastReload()?.problems[0] ?? null,
    listen: [...deps.listen()],
    queue_depth: scheduler.queuedTotal,
    longest_wait_seconds: longestWaitSeconds(scheduler),
    queue: describeQueue(scheduler),
    ...describeRunning(deps),
    recent: requests.recent(recentMax).map((record) => describeRequest(record, clock, undefined)),
    by_outcome: totals.byOutcome,
    sessions: scheduler.sessions,
    traffic: describeTraffic(traffic.total),
    models: describeModels(scheduler, traffic, deps.models),
    backends,
    ...countBackends(backends),
    tokens,
    cache: describeCache(deps),
    history: describeHistory(deps.history.points()),
  };
}

function describeQueue(scheduler: SchedulerReadings): MonitorBody['queue'] {
  return scheduler.queued.map((entry) => ({
    request_id: entry.id,
    model_id: entry.model ?? null,
    session_id: maskedSession(entry.session),
    wait_seconds: rounded(entry.waitedMs / 1000),
    estimated_tokens: entry.tokensEstimated,
    priority: entry.priority,
    position: entry.position,
    overtaken: entry.overtaken,
    attempt: entry.attempt,
  }));
}

function longestWaitSeconds({ queued }: SchedulerReadings): number {
  return rounded(queued.reduce((most, { waitedMs }) => Math.max(most, waitedMs), 0) / 1000);
}

function countBackends(
  backends: MonitorBody['backends'],
): Pick<MonitorBody, 'backends_total' | 'backends_live' | 'slots'> {
  const live = backends.filter(({ state }) => takesRequests(state));
  const sumOf = (part: keyof MonitorBody['slots']): number =>
    live.reduce((sum, { slots }) => sum + slots[part], 0);
  return {
    backends_total: backends.length,
    backends_live: live.length,
    slots: {
      total: sumOf('total'),
      own: sumOf('own'),
      lingering: sumOf('lingering'),
      foreign: sumOf('foreign'),
    },
  };
}

/** The oldest running requests; what waits is in the queue already. */
function describeRunning({ requests, clock }: AdminDeps): Pick<MonitorBody, 'in_flight' | 'in_flight_count'> {
  const running: MonitorBody['in_flight'] = [];
  let count = 0;
  for (const record of requests.inFlight()) {
    if (record.phase === 'queued') continue;
    count += 1;
    if (running.length < rowsMax) running.push(describeRequest(record, clock, undefined));
  }
  return { in_flight: running, in_flight_count: count };
}

/** Models that are in memory, asked for, lately served, or listed and ours to start; busiest first. */
function describeModels(
  scheduler: SchedulerReadings,
  traffic: TrafficReadings,
  models: ModelControl,
): MonitorBody['models'] {
  const rows = new Map<ModelName, { loadedOn: string[]; inFlight: number; queued: number }>();
  const rowOf = (model: ModelName) => {
    const row = rows.get(model) ?? { loadedOn: [], inFlight: 0, queued: 0 };
    rows.set(model, row);
    return row;
  };
  for (const [id, { view, inFlightByModel }] of scheduler.backends) {
    for (const model of view.loaded) rowOf(model).loadedOn.push(id);
    for (const [model, inFlight] of inFlightByModel) rowOf(model).inFlight += inFlight;
  }
  for (const { model } of scheduler.queued) if (model !== undefined) rowOf(model).queued += 1;
  for (const model of traffic.byModel.keys()) rowOf(model);
  for (const { id, unlisted } of models.config().models.values()) if (!unlisted) rowOf(id);
  return [...rows]
    .map(([model, { loadedOn, inFlight, queued }]) => ({
      model_id: model,
      loaded_on: loadedOn,
      state: models.stateOf(model) ?? null,
      in_flight: inFlight,
      queued,
      traffic: describeTraffic(traffic.byModel.get(model)),
    }))
    .sort(
      (left, right) =>
        right.in_flight + right.queued - (left.in_flight + left.queued) ||
        right.traffic.requests - left.traffic.requests ||
        left.model_id.localeCompare(right.model_id),
    )
    .slice(0, rowsMax);
}

function describeCache({ cache }: AdminDeps): MonitorBody['cache'] {
  const counts = cache()?.counts;
  if (counts === undefined) return null;
  return {
    hits: counts.hits,
    semantic_hits: counts.semanticHits,
    misses: counts.misses,
    saved_input_tokens: counts.savedInputTokens,
    saved_output_tokens: counts.savedOutputTokens,
  };
}

function describeHistory(points: readonly HistoryPoint[]): MonitorBody['history'] {
  return {
    at_epoch_s: points.map(({ atEpochMs }) => Math.round(atEpochMs / 1000)),
    tokens_per_second: points.map(({ outputTokensPerSecond }) => rounded(outputTokensPerSecond)),
    requests_per_minute: points.map(({ requestsPerMinute }) => rounded(requestsPerMinute)),
    queued: points.map(({ queued }) => queued),
    slots_used: points.map(({ slotsUsed }) => slotsUsed),
    slots_total: points.map(({ slotsTotal }) => slotsTotal),
  };
}
