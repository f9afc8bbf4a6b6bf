/** The bodies of the reading routes, put together from what the parts of the router say. Nothing here changes anything. */
import { ollamaVersion } from '../dialects/ollama-surface/version.ts';
import type { Decision } from '../scheduler/decision.ts';
import type { QueuedSnapshot } from '../scheduler/snapshot.ts';
import type { DecisionQuery } from '../store/decisions.ts';
import type {
  DecisionsBody,
  HealthBody,
  ReloadBody,
  RequestDetailBody,
  RequestsBody,
  StatusBody,
} from './contract.ts';
import type { VersionBody } from './contract-models.ts';
import type { AdminDeps, ReloadReport } from './deps.ts';
import { describeBackends, describeEndpoint, describeTraffic } from './describe-backend.ts';
import { describeRequestFully } from './describe-request.ts';
import { isoTime, rounded } from './values.ts';

/** Most waiting requests that are listed with their position. */
const queuedMax = 1000;

export interface HealthQuestion {
  /** How many of the backends have to be well for the router to count as healthy. */
  readonly required: 'none' | 'any' | 'all';
  /** Whether the caller gets to see the backends. */
  readonly withNames: boolean;
}

export function healthBody(deps: AdminDeps, { required, withNames }: HealthQuestion): HealthBody {
  const backends = deps.backends();
  const endpoints = backends.map((backend) => {
    const { id, status, version, detail } = describeEndpoint(backend);
    const more = { ...(version !== undefined && { version }), ...(detail !== undefined && { detail }) };
    return [id, { status, ...more }] as const;
  });
  const well = endpoints.filter(([, { status }]) => status === 'ok').length;
  const isEnough = required === 'none' || (required === 'any' ? well > 0 : well === backends.length);
  const working = isEnough ? 'ok' : 'error';
  return {
    status: deps.draining() ? 'draining' : working,
    backends: {
      total: backends.length,
      live: backends.filter(({ view }) => takesRequests(view.state)).length,
    },
    endpoints: withNames ? Object.fromEntries(endpoints) : {},
    queued: deps.snapshot(0).queuedTotal,
    in_flight: deps.requests.inFlightCount,
    stores_failing: [...deps.storesFailing()],
  };
}

export function statusBody(deps: AdminDeps): StatusBody {
  const scheduler = deps.snapshot(0);
  const totals = deps.requests.totals();
  const traffic = deps.requests.traffic();
  const lastReload = deps.lastReload();
  return {
    version: deps.version,
    started_at: isoTime(deps.startedEpochMs),
    uptime_seconds: uptimeSeconds(deps),
    listen: [...deps.listen()],
    demo: deps.demo !== undefined,
    draining: deps.draining(),
    keys_required: deps.keysRequired(),
    config: {
      file: deps.configFile() ?? null,
      last_reload: lastReload === undefined ? null : reloadBody(lastReload),
    },
    queue: { depth: scheduler.queuedTotal },
    requests: { total: totals.opened, in_flight: deps.requests.inFlightCount, by_outcome: totals.byOutcome },
    sessions: scheduler.sessions,
    traffic: describeTraffic(traffic.total),
    backends: describeBackends({
      clock: deps.clock,
      backends: deps.backends(),
      scheduler,
      traffic,
      hostOf: deps.hostOf,
    }),
    cloud: { disabled: true, source: 'none' },
  };
}

/** For the clients of llama-swap and of Ollama, which both ask here. */
export function versionBody(deps: AdminDeps): VersionBody {
  const ollamas = deps
    .backends()
    .filter(({ kind, view }) => kind.routes.has('ollama-chat') && takesRequests(view.state))
    .map(({ version = '' }) => version);
  return {
    version: ollamaVersion(ollamas),
    commit: 'unknown',
    build_date: 'unknown',
    llamero: deps.version,
  };
}

/** Waiting requests in their order, then running ones by arrival, then finished ones, newest first. */
export function requestsBody(deps: AdminDeps, recentMax: number): RequestsBody {
  const entries = new Map<string, QueuedSnapshot>();
  for (const entry of deps.snapshot(queuedMax).queued) entries.set(entry.id, entry);
  const queued: RequestDetailBody[] = [];
  const running: RequestDetailBody[] = [];
  for (const record of deps.requests.inFlight()) {
    const body = describeRequestFully(record, deps.clock, entries.get(record.id));
    (record.phase === 'queued' ? queued : running).push(body);
  }
  queued.sort((left, right) => (left.position ?? Infinity) - (right.position ?? Infinity));
  const recent = deps.requests
    .recent(recentMax)
    .map((record) => describeRequestFully(record, deps.clock, undefined));
  return { queued, running, recent };
}

export function decisionsBody(deps: AdminDeps, query: DecisionQuery): DecisionsBody {
  return { decisions: deps.decisions.list(query).map((decision) => describeDecision(decision, deps)) };
}

export function reloadBody({ atEpochMs, ok, problems }: ReloadReport): ReloadBody {
  return { at: isoTime(atEpochMs), ok, problems: [...problems] };
}

export function uptimeSeconds({ clock, startedEpochMs }: AdminDeps): number {
  return rounded(Math.max(0, clock.epochMs() - startedEpochMs) / 1000);
}

export function takesRequests(state: string): boolean {
  return state === 'live' || state === 'degraded';
}

function describeDecision(decision: Decision, { clock }: AdminDeps): DecisionsBody['decisions'][number] {
  return {
    request_id: decision.request,
    model_id: decision.model ?? null,
    backend_id: decision.backend,
    at: isoTime(clock.epochMs() - (clock.nowMs() - decision.atMs)),
    waited_ms: rounded(decision.waitedMs),
    attempt: decision.attempt,
    overtook: decision.overtook,
    picker: decision.picker,
    candidates: decision.candidates.map(({ backend, excludedBy, score, scores }) => ({
      backend_id: backend,
      excluded_by: excludedBy ?? null,
      score: rounded(score),
      scores: Object.fromEntries(Object.entries(scores).map(([name, value]) => [name, rounded(value)])),
    })),
  };
}
