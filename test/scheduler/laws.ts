/**
 * An independent book-keeper beside a scheduler: replays a random history, keeps its own record of every request, and
 * checks the laws after each event with rules written down a second time.
 */
import type { BackendState, BackendView } from '../../src/domain/backend-view.ts';
import type { BackendId, ModelName, RequestId } from '../../src/domain/ids.ts';
import type { PromptReport } from '../../src/domain/prompt-chain.ts';
import type { RequestFacts } from '../../src/domain/request-facts.ts';
import type { Grant, Rejection } from '../../src/scheduler/effects.ts';
import type { SchedulerSettings } from '../../src/scheduler/settings.ts';
import type { SchedulerSnapshot } from '../../src/scheduler/snapshot.ts';
import { ensure } from './ensure.ts';
import { FakeProcesses, processIds } from './fake-processes.ts';
import type { ProcessTraits } from './fake-processes.ts';
import { isPlaceable } from './placeable.ts';
import { facts, fifoSettings, Rig, view } from './rig.ts';
import type { ViewFields } from './rig.ts';

export const modelNames = ['x', 'y', 'z'] as const;
export const backendIds = ['b0', 'b1', 'b2', 'b3'] as const;

export type Step =
  | { readonly do: 'arrive'; readonly fields: Partial<RequestFacts> }
  | {
      readonly do: 'finish';
      readonly nth: number;
      readonly lingers: boolean;
      readonly prompt?: PromptReport | undefined;
    }
  | { readonly do: 'retry' | 'cancel'; readonly nth: number }
  | {
      readonly do: 'change';
      readonly backend: number;
      readonly fields: ViewFields;
      readonly busy: number | undefined;
    }
  | { readonly do: 'remove'; readonly backend: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'put'; readonly process: number; readonly traits: ProcessTraits }
  | { readonly do: 'remove process' | 'unload'; readonly process: number }
  | { readonly do: 'answer' | 'crash'; readonly nth: number; readonly backoffMs: number | undefined }
  | { readonly do: 'tell late'; readonly process: number; readonly state: BackendState }
  | { readonly do: 'configure'; readonly settings: Partial<SchedulerSettings> }
  | { readonly do: 'drain' };

type ProcessStep = Extract<
  Step,
  { do: 'put' | 'remove process' | 'unload' | 'answer' | 'crash' | 'tell late' }
>;

interface Booked {
  readonly facts: RequestFacts;
  readonly arrivedMs: number;
  readonly failedOn: Set<BackendId>;
  backend: BackendId | undefined;
  /** As named there; undefined also when the engine has lost it since. */
  slot: number | undefined;
  attempts: number;
}

export class Bookkeeper {
  readonly rig: Rig;
  readonly #waiting = new Map<RequestId, Booked>();
  readonly #granted = new Map<RequestId, Booked>();
  readonly #ended = new Set<RequestId>();
  readonly #fields = new Map<BackendId, ViewFields>();
  readonly #views = new Map<BackendId, BackendView>();
  readonly #processes: FakeProcesses;
  #settings: SchedulerSettings;
  #arrivals = 0;
  /** Which process somebody wants stopped right now. */
  #unloading: BackendId | undefined;
  /** Requests of the arriving one's model, before it. */
  #admittedBefore = 0;

  constructor(settings: Partial<SchedulerSettings>) {
    this.#settings = { ...fifoSettings, ...settings };
    this.rig = new Rig(this.#settings, 5);
    this.#processes = new FakeProcesses({
      nowMs: () => this.rig.nowMs,
      isServing: (id) => this.#isServing(id),
      planner: () => this.#settings.residency.get('host'),
      tell: (id, fields) => {
        // Old news are not believed, here neither.
        const known = this.#views.get(id)?.process?.generation ?? 0;
        if ((fields.process?.generation ?? 0) >= known) this.#views.set(id, view(id, fields));
        this.rig.backend(id, fields);
      },
    });
    this.rig.supply = this.#processes;
    const { grants, rejections } = this.rig;
    grants.push = (grant) => this.#onGrant(grant) ?? Array.prototype.push.call(grants, grant);
    rejections.push = (rejection) =>
      this.#onReject(rejection) ?? Array.prototype.push.call(rejections, rejection);
  }

  play(step: Step): void {
    this.#do(step);
    this.#checkLaws();
    // What became due at once.
    this.rig.pass(0);
    this.#checkLaws();
    this.#processes.check();
    for (const [id, { arrivedMs }] of this.#waiting) {
      const waitedMs = this.rig.nowMs - arrivedMs;
      ensure(waitedMs < this.#settings.queueTimeoutMs, `${id} has waited longer than the queue timeout`);
    }
  }

  /** Ends everything that runs, as often as it takes, and checks that everybody who waits is served or told. */
  resolve(): void {
    // A reading counts when it is newer than the last one.
    this.rig.pass(1);
    for (const [id, { process }] of this.#views) if (process === undefined) this.#change(id, {}, 0);
    for (let rounds = 0; this.#waiting.size > 0; rounds += 1) {
      ensure(rounds < 500, `everybody who waits is resolved: ${[...this.#waiting.keys()].join()}`);
      for (const id of this.#granted.keys()) this.#finish(id, false);
      while (this.#processes.answer(rounds, undefined)) this.#checkLaws();
      this.rig.pass(1000);
      this.#checkLaws();
    }
  }

  /** Ends everything and checks that nothing is left of it. */
  windUp(): void {
    for (const id of this.#waiting.keys()) this.#end(id, () => this.rig.cancel(id));
    for (let rounds = 0; this.#granted.size > 0; rounds += 1) {
      ensure(rounds < 1000, 'everything that was granted can be finished');
      for (const id of this.#granted.keys()) this.#finish(id, true);
    }
    this.rig.pass(10 * 60_000);
    this.#checkLaws();
    const { footprint, backends, queuedTotal } = this.rig.snapshot();
    ensure(queuedTotal === 0, 'nobody waits after the end');
    const names = new Set<ModelName | undefined>();
    for (const { view: seen, ...counts } of backends.values()) {
      names.add(undefined);
      for (const name of seen.models.keys()) names.add(name);
      ensure(counts.inFlight === 0 && counts.lingering === 0, 'no permit is left after the end');
      ensure(counts.inFlightByModel.size === 0, 'no model runs after the end');
      ensure(
        counts.stickyTo === undefined && counts.claimedFor === undefined,
        'nothing is reserved after the end',
      );
    }
    const expected = {
      requests: 0,
      lanes: 0,
      flows: 0,
      models: names.size,
      backends: backends.size,
      alarms: 0,
      starving: 0,
      cold: 0,
    };
    ensure(JSON.stringify(footprint) === JSON.stringify(expected), `left over: ${JSON.stringify(footprint)}`);
  }

  #do(step: Step): void {
    switch (step.do) {
      case 'arrive':
        return this.#arrive(step.fields);
      case 'finish':
        return this.#withNth(this.#granted, step.nth, (id) => this.#finish(id, step.lingers, step.prompt));
      case 'retry':
        return this.#withNth(this.#granted, step.nth, (id) => this.#retry(id));
      case 'cancel':
        // Now and then one that was granted already.
        return this.#withNth(step.nth % 4 === 0 ? this.#granted : this.#waiting, step.nth, (id) => {
          const backend = this.#granted.get(id)?.backend;
          if (backend !== undefined) this.#processes.used(backend, false);
          this.#end(id, () => this.rig.cancel(id));
        });
      case 'change':
        return this.#change(backendIds[step.backend] ?? 'b0', step.fields, step.busy);
      case 'remove': {
        const id = backendIds[step.backend] ?? 'b0';
        this.#views.delete(id);
        this.#forgetSlots(id);
        this.rig.remove(id);
        return;
      }
      case 'pass':
        this.rig.pass(step.ms);
        return;
      case 'configure':
        this.#settings = { ...this.#settings, ...step.settings };
        this.rig.configure(this.#settings);
        return;
      case 'drain':
        this.rig.handle({ type: 'drainStarted' });
        return;
      case 'put':
      case 'remove process':
      case 'unload':
      case 'answer':
      case 'crash':
      case 'tell late':
        this.#doToProcess(step);
    }
  }

  #doToProcess(step: ProcessStep): void {
    const processes = this.#processes;
    switch (step.do) {
      case 'put':
        return processes.put(processOf(step), step.traits);
      case 'remove process': {
        const id = processOf(step);
        this.#views.delete(id);
        processes.remove(id);
        this.rig.remove(id);
        return;
      }
      case 'unload': {
        const id = processOf(step);
        processes.wish(id);
        this.#unloading = id;
        this.rig.handle({ type: 'unloadRequested', id });
        this.#unloading = undefined;
        return;
      }
      case 'answer':
        processes.answer(step.nth, step.backoffMs);
        return;
      case 'crash':
        return processes.crash(step.nth, step.backoffMs);
      case 'tell late':
        processes.tellLate(processOf(step), step.state);
    }
  }

  #finish(id: RequestId, lingers: boolean, prompt?: PromptReport): void {
    const backend = this.#granted.get(id)?.backend;
    this.#end(id, () => {
      if (backend !== undefined) this.#processes.used(backend, lingers);
      this.rig.finish(id, { lingers, ...(prompt && { prompt }) });
    });
  }

  /** Somebody runs there, or lingers. */
  #isServing(id: BackendId): boolean {
    for (const { backend } of this.#granted.values()) if (backend === id) return true;
    return (this.rig.snapshot().backends.get(id)?.lingering ?? 0) > 0;
  }

  #arrive(fields: Partial<RequestFacts>): void {
    const id = `r${this.#arrivals}`;
    this.#arrivals += 1;
    const booked = {
      facts: facts(id, fields),
      arrivedMs: this.rig.nowMs,
      failedOn: new Set<BackendId>(),
      backend: undefined,
      slot: undefined,
      attempts: 0,
    };
    this.#admittedBefore = this.#countOf(booked.facts.model);
    this.#waiting.set(id, booked);
    this.rig.handle({ type: 'requestArrived', request: booked.facts });
    const limit = this.#settings.admissionLimits.get(booked.facts.model ?? '') ?? Infinity;
    ensure(
      this.#ended.has(id) || this.#countOf(booked.facts.model) <= limit,
      'nobody is let in beyond the limit',
    );
  }

  #countOf(model: ModelName | undefined): number {
    const all = [...this.#waiting.values(), ...this.#granted.values()];
    return all.filter(({ facts: request }) => request.model === model).length;
  }

  #retry(id: RequestId): void {
    const booked = this.#granted.get(id);
    if (booked?.backend === undefined) return;
    booked.failedOn.add(booked.backend);
    this.#processes.used(booked.backend, false);
    booked.backend = undefined;
    this.#granted.delete(id);
    this.#waiting.set(id, booked);
    this.rig.retry(id);
  }

  #change(id: BackendId, fields: ViewFields, busy: number | undefined): void {
    const merged = { ...this.#fields.get(id), ...fields };
    const slots = busy === undefined ? merged.slots : { busy, probeStartedMs: this.rig.nowMs };
    this.#fields.set(id, { ...merged, slots });
    const known = this.#views.get(id);
    const next = view(id, { ...merged, slots });
    if (known?.epoch !== next.epoch || known.slotIds !== next.slotIds) this.#forgetSlots(id);
    this.#views.set(id, next);
    this.rig.backend(id, { ...merged, slots });
  }

  #forgetSlots(id: BackendId): void {
    for (const one of this.#granted.values()) if (one.backend === id) one.slot = undefined;
  }

  #withNth(from: ReadonlyMap<RequestId, Booked>, nth: number, run: (id: RequestId) => void): void {
    const id = [...from.keys()][nth % Math.max(1, from.size)];
    if (id !== undefined) run(id);
  }

  #end(id: RequestId, report: () => unknown): void {
    this.#waiting.delete(id);
    this.#granted.delete(id);
    this.#ended.add(id);
    report();
  }

  #onGrant({ id, backend, model, slot, attempt, waitedMs, decision }: Grant): undefined {
    const booked = this.#waiting.get(id);
    if (booked === undefined) throw new Error(`${id} was granted although it does not wait`);
    const there = this.#views.get(backend);
    if (there === undefined) throw new Error(`${id} was granted on a backend that is gone`);
    ensure(there.state === 'live' || there.state === 'degraded', 'a grant is on a live backend');
    if (this.#processes.has(backend)) {
      ensure(this.#processes.isLive(backend), 'a grant is not on a process that is being stopped');
      ensure(!this.#processes.isWished(backend), 'a grant is not on a process that is to be stopped');
    }
    ensure(!booked.failedOn.has(backend), 'a grant is never where it failed');
    ensure(booked.facts.only?.has(backend) ?? true, 'a grant is where the route is');
    const asked = booked.facts.model;
    ensure(asked === undefined || there.models.get(asked) === model, 'a grant names the canonical model');
    booked.attempts += 1;
    ensure(attempt === booked.attempts, 'attempts are counted');
    ensure(waitedMs === this.rig.nowMs - booked.arrivedMs, 'the wait is counted from the arrival');
    ensure(
      decision.candidates.some((one) => one.backend === backend && one.excludedBy === undefined),
      'the winner is in the trace',
    );
    ensure(decision.candidates.length <= this.#settings.decisionCandidatesMax, 'the trace is bounded');
    if (!booked.facts.slotless) this.#checkRoom(there, booked, model);
    if (slot !== undefined) {
      ensure(slot < (there.slotIds ?? 0) && this.#settings.namesSlots, 'a slot is named where it has a name');
      const here = [...this.#granted.values()].filter((one) => one.backend === backend);
      ensure(!here.some((one) => one.slot === slot), 'no two requests are told the same slot');
    }
    booked.slot = slot;
    this.#waiting.delete(id);
    booked.backend = backend;
    this.#granted.set(id, booked);
  }

  #checkRoom(there: BackendView, booked: Booked, model: ModelName | undefined): void {
    const running = [...this.#granted.values()].filter((one) => !one.facts.slotless);
    const here = running.filter((one) => one.backend === there.id);
    const { slotsAreSoft } = this.#settings;
    ensure(slotsAreSoft || here.length < there.slotsTotal, 'permits never exceed slots');
    // Booked already, this grant included; a model that lingers there runs too.
    const models = this.rig.snapshot().backends.get(there.id)?.inFlightByModel;
    if (model !== undefined && models?.get(model) === 1) {
      ensure(models.size <= (there.modelsMax ?? Infinity), 'models never exceed maxModels');
    }
    const ofModel = model === undefined ? 0 : (models?.get(model) ?? 0);
    ensure(slotsAreSoft || ofModel <= (there.modelSlotsMax ?? Infinity), 'a model keeps to its slots there');
    const limit = this.#settings.modelLimits.get(booked.facts.model ?? '');
    const sameModel = running.filter((one) => one.facts.model === booked.facts.model);
    ensure(limit === undefined || sameModel.length < limit, 'a model never exceeds its limit');
  }

  #onReject({ id, reason, waitedMs, retryAfterMs, loadFailure }: Rejection): undefined {
    const booked = this.#waiting.get(id);
    if (booked === undefined) throw new Error(`${id} was rejected although it does not wait`);
    ensure(waitedMs === this.rig.nowMs - booked.arrivedMs, 'the wait is counted from the arrival');
    ensure(retryAfterMs === undefined || (retryAfterMs > 0 && retryAfterMs < Infinity), 'a guess is a time');
    ensure(reason !== 'exhausted' || booked.failedOn.size > 0, 'only who failed is exhausted');
    ensure(reason !== 'queueTimeout' || waitedMs >= this.#settings.queueTimeoutMs, 'no early timeout');
    ensure(
      reason !== 'noBackend' ||
        waitedMs >= this.#settings.deadWaitMs ||
        this.#views.size === 0 ||
        booked.facts.only !== undefined,
      'no early end of the wait for a dead fleet',
    );
    ensure(
      reason !== 'modelBusy' ||
        this.#admittedBefore >= (this.#settings.admissionLimits.get(booked.facts.model ?? '') ?? Infinity),
      'nobody is refused below the limit',
    );
    ensure((reason === 'loadFailed') === (loadFailure !== undefined), 'a failed load is told');
    const wanted = this.#unloading;
    ensure(
      reason !== 'unloaded' ||
        (wanted !== undefined && this.#processes.names(wanted).includes(booked.facts.model ?? '')),
      'only who waits for what is unloaded is turned away for it',
    );
    this.#waiting.delete(id);
    this.#ended.add(id);
  }

  #checkLaws(): void {
    const snapshot = this.rig.snapshot();
    const queued = snapshot.queued.map(({ id }) => id);
    ensure(
      queued.length === this.#waiting.size && queued.every((id) => this.#waiting.has(id)),
      `the queue holds exactly those who were neither resolved nor cancelled: ${queued.join()}`,
    );
    for (const [index, id] of queued.entries()) {
      ensure(
        this.rig.scheduler.positionOf(id)?.position === index + 1,
        'a position is the place in the order',
      );
    }
    for (const [id, backend] of snapshot.backends) {
      const own = [...this.#granted.values()].filter((one) => one.backend === id && !one.facts.slotless);
      ensure(backend.inFlight === own.length, `permits of ${id} are exactly those granted and not released`);
      ensure(backend.lingering >= 0 && backend.foreign >= 0, 'counts are never negative');
    }
    const inFlight = (model: ModelName): number => this.#inFlight(model, snapshot);
    const about = { snapshot, settings: this.#settings, inFlight };
    for (const [id, booked] of this.#waiting) {
      for (const backend of snapshot.backends.values()) {
        ensure(!isPlaceable(booked, backend, about), `${id} waits although ${backend.view.id} could take it`);
      }
    }
    this.#checkClosing(snapshot);
    this.#checkLoads(snapshot);
  }

  /** Nothing is closed to new requests without a reason. */
  #checkClosing({ backends, queued }: SchedulerSnapshot): void {
    for (const [id, { process }] of backends) {
      if (process?.closing !== true) continue;
      const claimant = queued.find((one) => one.id === process.drainsFor);
      const isClaimed = claimant !== undefined && this.#settings.swapPatienceMs < Infinity;
      ensure(
        isClaimed || !this.#processes.isLive(id) || this.#processes.isWished(id),
        `${id} takes nobody for no reason`,
      );
    }
  }

  /** While nothing loads, stops, serves or is kept for a while, nobody waits for what could be loaded. */
  #checkLoads({ swaps, backends }: SchedulerSnapshot): void {
    const isQuiet = processIds.every(
      (id) =>
        !this.#isServing(id) &&
        (!this.#processes.has(id) || this.#processes.isLive(id) || this.#processes.isStopped(id)),
    );
    const isKept = [...backends.values()].some(({ process }) => process?.keptUntilMs !== undefined);
    ensure(
      !isKept || this.#settings.swapHold > 0 || this.#settings.swapPatienceMs < Infinity,
      'nothing is kept',
    );
    if (swaps.length > 0 || !isQuiet || isKept) return;
    for (const [id, { facts: request, failedOn }] of this.#waiting) {
      const seats = [...backends.values()].filter(
        ({ view: there }) =>
          there.models.has(request.model ?? '') &&
          !failedOn.has(there.id) &&
          (request.only?.has(there.id) ?? true),
      );
      if (seats.some(({ view: { state } }) => state === 'live' || state === 'degraded')) continue;
      const loadable = seats.find(
        ({ view: there }) => this.#processes.isStopped(there.id) && !this.#processes.isBackingOff(there.id),
      );
      ensure(loadable === undefined, `${id} waits although ${loadable?.view.id} could be loaded`);
    }
  }

  /** Permits of a model over the fleet, also on backends that left, and lingering requests. */
  #inFlight(model: ModelName, snapshot: SchedulerSnapshot): number {
    let count = 0;
    for (const one of this.#granted.values())
      if (one.facts.model === model && !one.facts.slotless) count += 1;
    for (const [id, backend] of snapshot.backends) {
      const own = [...this.#granted.values()].filter(
        (one) => one.backend === id && one.facts.model === model && !one.facts.slotless,
      );
      count += (backend.inFlightByModel.get(model) ?? 0) - own.length;
    }
    return count;
  }
}

function processOf({ process }: { readonly process: number }): BackendId {
  return processIds[process] ?? 'p0';
}
