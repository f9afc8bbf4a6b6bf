/** The models of a reading, one row each: processes of the router's own, and what the engines beside them serve. */
import type { BackendReading, Reading } from './router-answers.ts';

export interface ModelRow {
  readonly model: string;
  /** Of its process; of a model elsewhere: `loaded`, `unloaded`, or `away` (no backend that has it takes requests). */
  readonly state: string;
  readonly inFlight: number;
  /** Undefined where the slots are shared with other models. */
  readonly slots: number | undefined;
  readonly queued: number;
  /** Backends that have it loaded, else those that serve it; empty for a process of the router's own. */
  readonly backends: readonly string[];
  readonly process: BackendReading['process'];
  readonly memoryBytes: number | undefined;
  /** Why it does not run, where something went wrong. */
  readonly fault: string | undefined;
}

/** Engines beside the router: backends that it did not start itself. */
export function outerBackends({ status }: Reading): BackendReading[] {
  return status.backends.filter((backend) => backend.process === null);
}

/** Own processes first, as configured; then the others by name. */
export function modelRows(reading: Reading): ModelRow[] {
  const { backends } = reading.status;
  const queued = countQueued(reading);
  const own = backends.flatMap((backend) =>
    backend.process === null ? [] : [describeOwn(backend, queued.get(backend.id) ?? 0)],
  );
  const ownNames = new Set(own.map(({ model }) => model));
  const outer = outerBackends(reading);
  const names = new Set(outer.flatMap(({ models, loaded }) => [...models, ...loaded]));
  const others = [...names]
    .filter((name) => !ownNames.has(name))
    .sort()
    .map((name) => describeOuter(name, outer, queued.get(name) ?? 0));
  return [...own, ...others];
}

function describeOwn(backend: BackendReading, queued: number): ModelRow {
  const { id, state, slots, memory, probe } = backend;
  const runs = state !== 'stopped' && state !== 'starting';
  return {
    model: id,
    state,
    inFlight: slots.own,
    slots: runs ? slots.total : undefined,
    queued,
    backends: [],
    process: backend.process,
    memoryBytes: memory?.need.vram_bytes ?? memory?.need.ram_bytes ?? undefined,
    fault: state === 'stopped' ? (probe.error ?? undefined) : undefined,
  };
}

function describeOuter(model: string, outer: readonly BackendReading[], queued: number): ModelRow {
  const serving = outer.filter(({ models, loaded }) => models.includes(model) || loaded.includes(model));
  const loadedOn = serving.filter(({ loaded }) => loaded.includes(model));
  const isUp = serving.some(({ state }) => state === 'live' || state === 'degraded');
  return {
    model,
    state: isUp ? (loadedOn.length > 0 ? 'loaded' : 'unloaded') : 'away',
    inFlight: serving.reduce((sum, backend) => sum + inFlightOf(backend, model), 0),
    slots: undefined,
    queued,
    backends: (loadedOn.length > 0 ? loadedOn : serving).map(({ id }) => id),
    process: null,
    memoryBytes: undefined,
    fault: undefined,
  };
}

function inFlightOf({ in_flight_by_model: counts }: BackendReading, model: string): number {
  return Object.hasOwn(counts, model) ? (counts[model] ?? 0) : 0;
}

/** Waiting requests by model. */
function countQueued({ requests }: Reading): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { phase, model_id: model } of requests) {
    if (phase === 'queued' && model !== null) counts.set(model, (counts.get(model) ?? 0) + 1);
  }
  return counts;
}
