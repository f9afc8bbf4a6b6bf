/** A backend as the API shows it: what the registry knows and what the scheduler counts, put together. */
import type { Clock } from '../base/clock.ts';
import { gpuTotals, type WatchedHost } from '../domain/host-reading.ts';
import type { BackendId } from '../domain/ids.ts';
import type { Backend } from '../engines/backend.ts';
import type { MemoryNeed } from '../scheduler/residency/memory.ts';
import type { BackendSnapshot } from '../scheduler/snapshot.ts';
import type { Traffic, TrafficReadings } from '../store/traffic.ts';
import type { BackendBody, TrafficBody } from './contract.ts';
import type { EndpointsBody } from './contract-usage.ts';
import type { SchedulerReadings } from './deps.ts';
import { isoTime, rounded } from './values.ts';

export interface FleetReadings {
  readonly clock: Clock;
  readonly backends: readonly Backend[];
  readonly scheduler: SchedulerReadings;
  readonly traffic: TrafficReadings;
  /** undefined = nobody watches that machine. */
  readonly hostOf: (id: BackendId) => WatchedHost | undefined;
}

/** In the order of the registry. */
export function describeBackends(readings: FleetReadings): BackendBody[] {
  const { scheduler, traffic, clock, hostOf } = readings;
  return readings.backends.map((backend) => ({
    ...describeEngine(backend),
    ...describeUse(backend, scheduler.backends.get(backend.id), clock),
    probe: {
      at: backend.probe.atEpochMs === undefined ? null : isoTime(backend.probe.atEpochMs),
      duration_ms: backend.probe.durationMs === undefined ? null : rounded(backend.probe.durationMs),
      error: backend.probe.error ?? null,
      failures_in_row: backend.probe.failuresInRow,
    },
    traffic: describeTraffic(traffic.byBackend.get(backend.id)),
    gpu: describeGpus(backend, hostOf(backend.id)),
  }));
}

/** What a list of endpoints says of one: where it is, and whether it can be reached or started. */
export function describeEndpoint(backend: Backend): EndpointsBody['endpoints'][number] {
  const { id, url, engine_version: version, state, reason } = describeEngine(backend);
  return {
    id,
    url,
    status: state === 'dead' || state === 'unknown' ? 'error' : 'ok',
    state,
    ...(version !== null && { version }),
    ...(reason !== null && { detail: reason }),
  };
}

export function describeTraffic(traffic: Traffic | undefined): TrafficBody {
  return {
    requests: traffic?.requests ?? 0,
    failures: traffic?.failures ?? 0,
    input_tokens: traffic?.inputTokens ?? 0,
    output_tokens: traffic?.outputTokens ?? 0,
    cached_tokens: traffic?.cachedTokens ?? 0,
    requests_per_minute: rounded(traffic?.requestsPerMinute ?? 0),
    output_tokens_per_second: rounded(traffic?.outputTokensPerSecond ?? 0),
  };
}

type EngineFields = Pick<
  BackendBody,
  | 'id'
  | 'url'
  | 'engine'
  | 'engine_version'
  | 'state'
  | 'reason'
  | 'models'
  | 'distrusted'
  | 'models_max'
  | 'memory'
  | 'process'
  | 'weight'
  | 'priority'
>;

function describeEngine(backend: Backend): EngineFields {
  const { id, url, kind, version, view, probe, memory, pid } = backend;
  return {
    id,
    url: url.origin + url.pathname.replace(/\/$/, ''),
    engine: kind.name,
    engine_version: version ?? null,
    state: view.state,
    reason: reasonOf(view.state, probe.error),
    models: [...new Set(view.models.values())],
    distrusted: [...(view.distrusted ?? [])],
    models_max: view.modelsMax ?? null,
    memory:
      memory === undefined
        ? null
        : { need: describeNeed(memory.need), measured: describeNeed(memory.measured) },
    process: view.process === undefined ? null : { pid: pid ?? null, ttl_seconds: view.process.ttlMs / 1000 },
    weight: view.weight,
    priority: view.priority,
  };
}

function describeNeed({ vramBytes, ramBytes }: MemoryNeed): {
  vram_bytes: number | null;
  ram_bytes: number | null;
} {
  return { vram_bytes: vramBytes ?? null, ram_bytes: ramBytes ?? null };
}

/** The load is what placement reckons with. */
function describeGpus({ view }: Backend, host: WatchedHost | undefined): BackendBody['gpu'] {
  const gpus = host?.reading?.gpus;
  if (host === undefined || gpus?.length === 0) return null;
  const totals = gpus && gpuTotals(gpus);
  return {
    load_percent: view.gpuLoad ?? null,
    count: totals?.count ?? null,
    memory_used_bytes: totals?.memoryUsedBytes ?? null,
    memory_total_bytes: totals?.memoryTotalBytes ?? null,
    temperature_celsius: totals?.temperatureCelsius ?? null,
  };
}

/** A backend that the scheduler has not heard of yet has nothing in flight. */
function describeUse(
  { view }: Backend,
  use: BackendSnapshot | undefined,
  clock: Clock,
): Pick<
  BackendBody,
  'slots' | 'loaded' | 'in_flight_by_model' | 'sticky_to' | 'sticky_seconds' | 'kept_seconds' | 'claimed_for'
> {
  const stickyMs = use?.stickyUntilMs === undefined ? 0 : use.stickyUntilMs - clock.nowMs();
  const isSticky = use?.stickyTo !== undefined && stickyMs > 0;
  const keptMs = use?.process?.keptUntilMs === undefined ? 0 : use.process.keptUntilMs - clock.nowMs();
  return {
    slots: {
      total: view.slotsTotal,
      own: use?.inFlight ?? 0,
      lingering: use?.lingering ?? 0,
      foreign: use?.foreign ?? 0,
      // Less than none where the backend has just become smaller.
      free: Math.max(0, use?.free ?? 0),
      busy_reading: view.slots?.busy ?? null,
    },
    loaded: [...view.loaded],
    in_flight_by_model: Object.fromEntries(use?.inFlightByModel ?? []),
    sticky_to: isSticky ? (use.stickyTo ?? null) : null,
    sticky_seconds: isSticky ? rounded(stickyMs / 1000) : null,
    kept_seconds: keptMs > 0 ? rounded(keptMs / 1000) : null,
    claimed_for: use?.claimedFor ?? use?.process?.drainsFor ?? null,
  };
}

function reasonOf(state: BackendBody['state'], probeError: string | undefined): string | null {
  switch (state) {
    case 'live':
      return null;
    case 'unknown':
      return probeError ?? 'Not probed yet';
    case 'degraded':
      return probeError ?? 'On probation after a recovery';
    case 'dead':
      return probeError ?? 'Its last requests failed';
    case 'draining':
      return 'Takes no new requests';
    case 'stopped':
      return probeError ?? 'Starts when a request needs it';
    case 'starting':
      return 'Loading its model';
    case 'stopping':
      return 'Being stopped';
  }
}
