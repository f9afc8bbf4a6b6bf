/**
 * Processes that answer loads and unloads late, in any order, and sometimes with a failure. Keeps an own record of what
 * each is doing and checks what is asked of it against the laws of residency.
 */
import type { BackendState, LoadFailure } from '../../src/domain/backend-view.ts';
import type { BackendId, ModelName } from '../../src/domain/ids.ts';
import type { UnloadReason } from '../../src/scheduler/effects.ts';
import type { ResidencyPlanner } from '../../src/scheduler/residency/planner.ts';
import { ensure } from './ensure.ts';
import type { ViewFields } from './rig.ts';

export const processIds = ['p0', 'p1', 'p2', 'p3'] as const;
export const processModels = ['u', 'v', 'w'] as const;

export interface ProcessTraits {
  readonly names: readonly ModelName[];
  readonly slotsTotal: number;
  readonly ttlMs: number;
  readonly unloadTimeoutMs: number;
}

interface FakeProcess {
  traits: ProcessTraits;
  state: Extract<BackendState, 'stopped' | 'starting' | 'live' | 'stopping'>;
  /** Not begun yet. */
  readonly asked: ('load' | 'unload')[];
  /** Of the newest load asked for, and of the newest begun. */
  generation: number;
  begun: number;
  failure: LoadFailure | undefined;
  /** Back-off of the failure that it is stopping for; undefined = it does not stop for one. */
  failingMs: number | undefined;
  readyMs: number;
  usedMs: number;
  wishMs: number | undefined;
  hasLingered: boolean;
}

export interface Surroundings {
  nowMs(): number;
  /** Somebody runs there, or lingers. */
  isServing(id: BackendId): boolean;
  planner(): ResidencyPlanner | undefined;
  tell(id: BackendId, fields: ViewFields): void;
}

export class FakeProcesses {
  readonly #around: Surroundings;
  readonly #processes = new Map<BackendId, FakeProcess>();
  #newest = 0;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  has(id: BackendId): boolean {
    return this.#processes.has(id);
  }

  names(id: BackendId): readonly ModelName[] {
    return this.#processes.get(id)?.traits.names ?? [];
  }

  /** Appears, stopped, or changes what may change while it runs. */
  put(id: BackendId, traits: ProcessTraits): void {
    const known = this.#processes.get(id);
    if (known === undefined) {
      this.#processes.set(id, {
        traits,
        state: 'stopped',
        asked: [],
        generation: 0,
        begun: 0,
        failure: undefined,
        failingMs: undefined,
        readyMs: 0,
        usedMs: 0,
        wishMs: undefined,
        hasLingered: false,
      });
      // Before a load has begun, its news would be those of the run before.
    } else if (known.begun === known.generation) known.traits = traits;
    this.#tell(id);
  }

  remove(id: BackendId): void {
    this.#processes.delete(id);
  }

  used(id: BackendId, lingers: boolean): void {
    const process = this.#processes.get(id);
    if (process === undefined) return;
    process.usedMs = this.#around.nowMs();
    process.hasLingered ||= lingers;
  }

  wish(id: BackendId): void {
    const process = this.#processes.get(id);
    if (process !== undefined && this.#isResident(id)) process.wishMs ??= this.#around.nowMs();
  }

  load(id: BackendId, generation: number): void {
    const process = this.#processes.get(id);
    ensure(process !== undefined, 'only what exists is loaded');
    ensure(
      process.state === 'stopped' && !process.asked.includes('load'),
      'a load begins only when it is stopped',
    );
    ensure(generation > this.#newest, 'every load has a number of its own');
    ensure(
      (process.failure?.retryAtMs ?? 0) <= this.#around.nowMs(),
      'nothing is loaded before it may be tried again',
    );
    const others = [...this.#processes.keys()].filter((other) => other !== id && this.#isResident(other));
    const planner = this.#around.planner();
    if (planner !== undefined) {
      ensure(
        isAllowedBeside(id, others, planner),
        `${id} is loaded beside ${others.join()}, which is not allowed`,
      );
    }
    this.#newest = generation;
    process.generation = generation;
    process.asked.push('load');
  }

  unload(id: BackendId, reason: UnloadReason): void {
    const process = this.#processes.get(id);
    ensure(process !== undefined, 'only what exists is unloaded');
    ensure(this.#isResident(id) && !process.asked.includes('unload'), 'nothing is unloaded twice');
    const nowMs = this.#around.nowMs();
    const isServing = this.#around.isServing(id);
    const { traits, wishMs } = process;
    if (reason === 'requested') {
      ensure(wishMs !== undefined, 'a wish has been uttered');
      // What still counts there while it starts was of an earlier run.
      const mayCut = process.state !== 'live' || nowMs >= wishMs + traits.unloadTimeoutMs;
      ensure(!isServing || mayCut, 'a wish waits for running requests');
    } else {
      ensure(process.state === 'live', 'what loads is never evicted');
      ensure(!isServing, 'what serves is never evicted');
    }
    if (reason === 'ttl') {
      const idleMs = nowMs - Math.max(process.readyMs, process.usedMs);
      ensure(traits.ttlMs > 0 && idleMs >= traits.ttlMs, 'nothing is stopped before its time to live');
    }
    process.asked.push('unload');
  }

  /** Something that was asked for makes one step. Returns whether anything was left to do. */
  answer(nth: number, backoffMs: number | undefined): boolean {
    const busy = [...this.#processes].filter(
      ([, { asked, state }]) => asked.length > 0 || state === 'starting' || state === 'stopping',
    );
    const [id, process] = busy[nth % Math.max(1, busy.length)] ?? [];
    if (id === undefined || process === undefined) return false;
    const asked = process.asked.shift();
    if (asked === 'load') {
      process.state = 'starting';
      process.begun = process.generation;
      process.failure = undefined;
    } else if (asked === 'unload') {
      if (process.state === 'stopped') return true;
      process.state = 'stopping';
    } else if (process.state === 'stopping') this.#stop(process, process.failingMs);
    else if (backoffMs === undefined) {
      process.state = 'live';
      process.readyMs = this.#around.nowMs();
    } else if (nth % 2 === 0) this.#stop(process, backoffMs);
    else {
      // It takes its time to end, as most do.
      process.state = 'stopping';
      process.failingMs = backoffMs;
    }
    this.#tell(id);
    return true;
  }

  /** It ends, or begins to, without having been asked. */
  crash(nth: number, backoffMs: number | undefined): void {
    const live = [...this.#processes].filter(([, { state }]) => state === 'live');
    const [id, process] = live[nth % Math.max(1, live.length)] ?? [];
    if (id === undefined || process === undefined) return;
    if (backoffMs === undefined) process.state = 'stopping';
    else this.#stop(process, backoffMs);
    this.#tell(id);
  }

  /** News from before the newest load come late. */
  tellLate(id: BackendId, state: BackendState): void {
    const process = this.#processes.get(id);
    if (process !== undefined && process.generation > 0)
      this.#tell(id, { state, generation: process.generation - 1 });
  }

  /** What must hold after every event. */
  check(): void {
    const nowMs = this.#around.nowMs();
    for (const [id, { state, traits, readyMs, usedMs, hasLingered, asked }] of this.#processes) {
      if (state !== 'live' || asked.length > 0 || traits.ttlMs === 0 || hasLingered) continue;
      if (this.#around.isServing(id)) continue;
      ensure(nowMs < Math.max(readyMs, usedMs) + traits.ttlMs, `${id} is there after its time to live`);
    }
  }

  isLive(id: BackendId): boolean {
    const process = this.#processes.get(id);
    return process?.state === 'live' && process.asked.length === 0;
  }

  isStopped(id: BackendId): boolean {
    return this.#processes.has(id) && !this.#isResident(id);
  }

  isBackingOff(id: BackendId): boolean {
    return (this.#processes.get(id)?.failure?.retryAtMs ?? 0) > this.#around.nowMs();
  }

  isWished(id: BackendId): boolean {
    return this.#processes.get(id)?.wishMs !== undefined;
  }

  #isResident(id: BackendId): boolean {
    const process = this.#processes.get(id);
    return process !== undefined && (process.state !== 'stopped' || process.asked.includes('load'));
  }

  #stop(process: FakeProcess, backoffMs?: number): void {
    process.state = 'stopped';
    process.asked.length = 0;
    process.wishMs = undefined;
    process.failingMs = undefined;
    process.hasLingered = false;
    process.failure =
      backoffMs === undefined
        ? undefined
        : { code: 'process_exited', message: 'ended', retryAtMs: this.#around.nowMs() + backoffMs };
  }

  #tell(id: BackendId, late?: { readonly state: BackendState; readonly generation: number }): void {
    const process = this.#processes.get(id);
    if (process === undefined) return;
    const { traits, state, begun, failure } = process;
    this.#around.tell(id, {
      state: late?.state ?? state,
      models: new Map(traits.names.map((name) => [name, id])),
      slotsTotal: traits.slotsTotal,
      process: {
        host: 'host',
        generation: late?.generation ?? begun,
        ttlMs: traits.ttlMs,
        unloadTimeoutMs: traits.unloadTimeoutMs,
        failure,
      },
    });
  }
}

/** Of groups, which may be lopsided, it is enough that one of two tolerates the other: it may have come second. */
function isAllowedBeside(id: BackendId, others: readonly BackendId[], planner: ResidencyPlanner): boolean {
  if (planner.name !== 'groups') return planner.evictionFor(id, others).evict.length === 0;
  return others.every(
    (other) =>
      planner.evictionFor(id, [other]).evict.length === 0 ||
      planner.evictionFor(other, [id]).evict.length === 0,
  );
}
