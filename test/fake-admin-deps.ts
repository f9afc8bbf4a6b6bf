/** A fleet that is made up, behind the real request table, decision log and admin API: for tests of API and page. */
import { pino } from 'pino';
import type { AdminDeps, ReloadReport } from '../src/admin/deps.ts';
import type { BackendState, BackendView } from '../src/domain/backend-view.ts';
import { noModels } from '../src/config/models.ts';
import { gpuTotals, type GpuReading } from '../src/domain/host-reading.ts';
import type { EngineName } from '../src/domain/engine-names.ts';
import type { Backend } from '../src/engines/backend.ts';
import type { EngineKind } from '../src/engines/engine-kind.ts';
import { createOutputLog } from '../src/process/output.ts';
import type { BackendSnapshot, QueuedSnapshot } from '../src/scheduler/snapshot.ts';
import type { ResponseCache } from '../src/store/cache/response-cache.ts';
import { createDecisionLog } from '../src/store/decisions.ts';
import type { HistoryPoint } from '../src/store/history.ts';
import type { RequestRecord } from '../src/store/request-record.ts';
import { createRequestTable } from '../src/store/requests.ts';
import { Usage } from '../src/store/usage.ts';
import { readHardware } from '../src/telemetry/host/hardware.ts';
import type { CancelReason } from '../src/store/requests.ts';
import { noRepairs } from './resolved-models.ts';

export interface FakeBackend {
  readonly id: string;
  readonly url?: string;
  readonly engine?: EngineName;
  readonly version?: string;
  readonly state?: BackendState;
  readonly error?: string;
  readonly models?: readonly string[];
  readonly loaded?: readonly string[];
  readonly slots?: number;
  readonly own?: number;
  readonly lingering?: number;
  readonly foreign?: number;
  readonly stickyTo?: string;
  readonly claimedFor?: string;
  readonly inFlightByModel?: ReadonlyMap<string, number>;
  /** Of its GPUs, as its monitor tells them; `silent`: it tells nothing. */
  readonly gpus?: readonly GpuReading[] | 'silent';
}

/** The only one, where keys are asked for. */
export const readingKey = 'a-key-of-this-test';

export interface FakeFleet {
  readonly deps: AdminDeps;
  /** The accounts, in memory; requests of `open` are not counted by themselves. */
  readonly usage: Usage;
  /** undefined = answers are not kept, as at first. */
  cache: ResponseCache | undefined;
  /** What the verbs were asked to do. */
  readonly calls: string[];
  /** Moves the clock. */
  advance(ms: number): void;
  /** Opens a request; `changes` are laid over its record. */
  open(id: string, changes?: Partial<RequestRecord>): RequestRecord;
  backends: readonly FakeBackend[];
  queued: readonly QueuedSnapshot[];
  draining: boolean;
  keysRequired: boolean;
  demo: boolean;
  traffic: boolean;
  lastReload: ReloadReport | undefined;
  nextReload: ReloadReport;
  history: HistoryPoint[];
  /** Thrown by `printConfig`, if set. */
  fault: Error | undefined;
}

export const fakeStartEpochMs = Date.UTC(2026, 4, 4, 9, 0, 0);

export function createFakeFleet(): FakeFleet {
  let nowMs = 10_000;
  const clock = { nowMs: () => nowMs, epochMs: () => fakeStartEpochMs + nowMs };
  const requests = createRequestTable({ recentMax: 100, clock });
  const usage = new Usage({
    path: undefined,
    minutesMs: 2 * 86_400_000,
    hoursMs: 60 * 86_400_000,
    ageMsMax: Infinity,
    rowsMax: 10_000,
    nowEpochMs: clock.epochMs,
    onFault: (error) => {
      throw error;
    },
  });
  const calls: string[] = [];
  const registry = () => fleet.backends.map((backend) => toBackend(backend, clock.epochMs()));
  const deps: AdminDeps = {
    clock,
    log: pino({ level: 'silent' }),
    version: '0.1.0',
    startedEpochMs: fakeStartEpochMs,
    get demo() {
      if (!fleet.demo) return undefined;
      return {
        trafficRunning: () => fleet.traffic,
        setTraffic: (running: boolean) => {
          fleet.traffic = running;
        },
      };
    },
    requests,
    decisions: createDecisionLog({ max: 100 }),
    history: { points: () => fleet.history, close: () => {} },
    listen: () => ['127.0.0.1:8700'],
    configFile: () => 'llamero.yaml',
    lastReload: () => fleet.lastReload,
    keys: () => [],
    keysRequired: () => fleet.keysRequired,
    accessOf: (headers) =>
      !fleet.keysRequired || headers.includes(`Bearer ${readingKey}`) ? 'full' : 'none',
    storesFailing: () => [],
    draining: () => fleet.draining,
    snapshot: (queuedMax) => ({
      queuedTotal: fleet.queued.length,
      queued: fleet.queued.slice(0, queuedMax),
      backends: new Map(fleet.backends.map((backend) => [backend.id, toSnapshot(backend, nowMs)])),
      sessions: 12,
    }),
    backends: registry,
    hostOf(id) {
      const gpus = fleet.backends.find((backend) => backend.id === id)?.gpus;
      if (gpus === undefined) return undefined;
      return { reading: gpus === 'silent' ? undefined : { atEpochMs: 0, system: undefined, gpus } };
    },
    models: {
      config: () => noModels,
      stateOf: () => undefined,
      find: () => undefined,
      foreseeLoad: () => undefined,
      needOf: () => undefined,
      requestsOf: () => 0,
      load: () => Promise.resolve(),
      unload: () => Promise.resolve(true),
      subscribe: () => () => {},
    },
    profile: { name: undefined, all: new Map(), choose: () => false, subscribe: () => () => {} },
    affinity: {
      settings: () => ({ enabled: true, ttlMs: 600_000 }),
      read: () => ({
        sessions: { size: 0, newest: [] },
        prompts: { blocksMax: 0, bytes: 0, backends: new Map() },
      }),
      explain: () => ({ model: undefined, hasSession: false, prompt: undefined, candidates: [] }),
    },
    cache: () => fleet.cache,
    cacheSettings: () => ({ store: 'memory', semantic: undefined }),
    sessionHeaders: () => [],
    hooks: { subscribe: () => () => {} },
    performance: {
      latest: () => undefined,
      enabled: false,
      history: () => [],
      hardware: () => readHardware({ platform: process.platform, gpus: [] }),
    },
    activity: {
      list: () => ({ rows: [], total: 0 }),
      totals: () => ({
        requests: 0,
        inputTokens: 0,
        outputTokens: 0,
        cacheTokens: 0,
        prompt: null,
        output: null,
      }),
      captures: { has: () => false, get: () => Promise.resolve(undefined) },
      subscribe: () => () => {},
    },
    usage,
    ending: new AbortController().signal,
    logs: { all: createOutputLog(), find: () => undefined },
    metrics: () =>
      Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'llamero_draining 0\n' }),
    printConfig() {
      if (fleet.fault !== undefined) throw fleet.fault;
      return 'apiKeys:\n  - "***"\n';
    },
    reload() {
      calls.push('reload');
      return Promise.resolve(fleet.nextReload);
    },
    setBackendDraining: (id, draining) => void calls.push(`${draining ? 'drain' : 'resume'} ${id}`),
    probeNow: (id) => void calls.push(`probe ${id}`),
  };
  const fleet: FakeFleet = {
    cache: undefined,
    deps,
    usage,
    calls,
    advance(ms) {
      nowMs += ms;
    },
    open(id, changes = {}) {
      const head = {
        id,
        route: 'chat-completions',
        method: 'POST',
        path: '/v1/chat/completions',
        flow: 'alice',
      } as const;
      const cancel = (reason: CancelReason) => {
        calls.push(`cancel ${id} ${reason}`);
        requests.finish(record, { outcome: 'cancelled_streaming', status: 200, errorCode: 'cancelled' });
      };
      const record: RequestRecord = requests.open(head, cancel);
      return Object.assign(record, changes);
    },
    backends: [],
    queued: [],
    draining: false,
    keysRequired: false,
    demo: false,
    traffic: true,
    lastReload: undefined,
    nextReload: { atEpochMs: fakeStartEpochMs, ok: true, problems: [] },
    history: [],
    fault: undefined,
  };
  return fleet;
}

export function fakeQueued(id: string, changes: Partial<QueuedSnapshot> = {}): QueuedSnapshot {
  return {
    id,
    model: 'qwen3-32b',
    flow: 'alice',
    session: undefined,
    priority: 1,
    tokensEstimated: 1200,
    waitedMs: 4000,
    position: 1,
    overtaken: 0,
    attempt: 1,
    ...changes,
  };
}

function toBackend(fake: FakeBackend, epochMs: number): Backend {
  const failed = fake.error !== undefined;
  return {
    id: fake.id,
    config: {
      url: fake.url ?? `http://${fake.id}.lan:8080`,
      engine: 'auto',
      apiKey: 'hush',
      weight: 1,
      priority: 0,
      cancelNonStreaming: false,
      streamUsage: true,
      repairs: noRepairs,
      timeouts: { connect: 5000, firstByte: 0, idle: 0, keepalive: 15_000, expectContinue: 0 },
    },
    url: new URL(fake.url ?? `http://${fake.id}.lan:8080`),
    kind: { name: fake.engine ?? 'llamacpp' } as EngineKind,
    view: toView(fake),
    probe: { atEpochMs: epochMs - 800, durationMs: 3.25, error: fake.error, failuresInRow: failed ? 3 : 0 },
    version: fake.version,
    modelObjects: new Map(),
  };
}

function toView(fake: FakeBackend): BackendView {
  const models = fake.models ?? fake.loaded ?? [];
  const { slots = 4, own = 0, lingering = 0, foreign = 0, gpus } = fake;
  return {
    id: fake.id,
    gpuLoad: gpus === undefined || gpus === 'silent' ? undefined : gpuTotals(gpus).utilizationPercent,
    state: fake.state ?? 'live',
    models: new Map(models.map((model) => [model, model])),
    loaded: new Set(fake.loaded),
    slotsTotal: slots,
    slots: { busy: own + lingering + foreign, probeStartedMs: 0 },
    modelsMax: undefined,
    weight: 1,
    priority: 0,
    contextTokens: new Map(),
    epoch: 0,
  };
}

function toSnapshot(fake: FakeBackend, nowMs: number): BackendSnapshot {
  const { slots = 4, own = 0, lingering = 0, foreign = 0 } = fake;
  return {
    view: toView(fake),
    inFlight: own,
    lingering,
    foreign,
    free: fake.state === 'dead' ? 0 : Math.max(0, slots - own - lingering - foreign),
    inFlightByModel:
      fake.inFlightByModel ?? new Map(fake.loaded?.[0] === undefined ? [] : [[fake.loaded[0], own]]),
    stickyTo: fake.stickyTo,
    stickyUntilMs: fake.stickyTo === undefined ? undefined : nowMs + 2500,
    claimedFor: fake.claimedFor,
  };
}
