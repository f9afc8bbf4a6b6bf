/**
 * Decides what is loaded in place of what. Owns the lanes whose model has to be loaded, the swaps under way, and which
 * processes drain for a lane that waited too long. Evicts nobody who serves or loads, and asks the planner of the host
 * for what has to go.
 */
import type { Agenda } from './agenda.ts';
import type { Entry, Lane } from './entry.ts';
import type { Fleet } from './fleet.ts';
import type { Keeping } from './keeping.ts';
import type { Ledger } from './ledger.ts';
import type { Processes } from './processes.ts';
import type { ResidencyPlanner } from './residency/planner.ts';
import { canUse, loadable } from './servability.ts';
import type { SchedulerSettings } from './settings.ts';
import { hampers, hostOf, planSwap } from './swap.ts';
import type { Host, LoadForesight, Swap, SwapPlan } from './swap.ts';
import { compareTurns } from './turn.ts';
import type { Turn } from './turn.ts';

export class Swaps {
  readonly #fleet: Fleet;
  readonly #agenda: Agenda;
  readonly #processes: Processes;
  readonly #keeping: Keeping;
  /** Lanes that nobody can serve before a process has started. */
  readonly #cold = new Set<Lane>();
  /** By target, from the first stop to the end of the load. */
  readonly #active = new Map<Ledger, Swap>();
  #settings: SchedulerSettings;

  constructor(options: {
    settings: SchedulerSettings;
    fleet: Fleet;
    agenda: Agenda;
    processes: Processes;
    keeping: Keeping;
  }) {
    this.#settings = options.settings;
    this.#fleet = options.fleet;
    this.#agenda = options.agenda;
    this.#processes = options.processes;
    this.#keeping = options.keeping;
  }

  get active(): IterableIterator<Swap> {
    return this.#active.values();
  }

  /** Lanes that wait for a load. */
  get size(): number {
    return this.#cold.size;
  }

  /** New rules: what was stopped for the old ones is planned again. */
  configure(settings: SchedulerSettings): void {
    this.#settings = settings;
    this.#keeping.configure(settings);
    for (const swap of this.#active.values()) if (!swap.isLoading) this.#active.delete(swap.target);
    for (const ledger of this.#fleet.processes) this.#measure(ledger);
    this.#agenda.swaps = true;
  }

  /** `lane.isCold` says whether it has to wait for a load. */
  watch(lane: Lane): void {
    if (lane.isCold === this.#cold.has(lane)) return;
    if (lane.isCold) this.#cold.add(lane);
    else this.#cold.delete(lane);
    this.#agenda.swaps = true;
  }

  /** Somebody more waits there: a process may not be worth keeping any longer. */
  grew(lane: Lane): void {
    if (lane.isCold && this.#keeping.isKeeping) this.#agenda.swaps = true;
  }

  /** Nobody waits there any more. */
  forget(lane: Lane): void {
    if (this.#cold.delete(lane)) this.#agenda.swaps = true;
  }

  /** Somebody waits no longer: one less that a process was loaded for. */
  settle(entry: Entry): void {
    if (entry.load?.owed.delete(entry) === true && entry.load.owed.size === 0) this.#agenda.swaps = true;
  }

  /** A load that has not begun is not wanted any more; what stops for it stops. */
  drop(target: Ledger): void {
    if (this.#active.get(target)?.isLoading === false) this.#active.delete(target);
  }

  /** After news of a process, or after it left the fleet. */
  follow(ledger: Ledger, nowMs: number): void {
    const phase = ledger.present ? ledger.book?.phase : undefined;
    const own = this.#active.get(ledger);
    // Before its load it is stopped, then it starts; anything else ends the swap.
    if (own !== undefined && phase !== (own.isLoading ? 'starting' : 'stopped')) {
      this.#active.delete(ledger);
      if (phase === 'ready') this.#loaded(own, nowMs);
    }
    if (phase === undefined || phase === 'stopped') {
      for (const swap of this.#active.values()) if (swap.waitsFor.delete(ledger)) this.#loadIfFree(swap);
    }
    forgive(ledger);
    this.#measure(ledger);
    this.#agenda.swaps = true;
  }

  /** What a load of this process would do now. Changes nothing. */
  foresee(target: Ledger, nowMs: number): LoadForesight {
    const phase = target.book?.phase;
    const isLoaded = phase === 'ready' || phase === 'starting';
    const plan = planSwap(target, this.#hostOf(target, nowMs));
    return {
      isLoaded,
      evicts: isLoaded ? [] : plan.victims.map((victim) => ({ model: victim.id, isBusy: !mayGo(victim) })),
      awaits: isLoaded ? [] : plan.stopping.map(({ id }) => id),
      because: plan.because,
      misfit: target.book?.misfit,
    };
  }

  /** Starts what can be started, those first who waited too long; for these it makes room. */
  advance(nowMs: number): void {
    this.#processes.unloadIdle();
    const lanes = [...this.#cold].sort((a, b) => compareTurns(headOf(a), headOf(b)));
    this.#keeping.begin(lanes, this.#active, nowMs);
    const isStarving = (lane: Lane): boolean => nowMs >= lane.hungryFromMs + this.#settings.swapPatienceMs;
    const reserved: SwapPlan[] = [];
    const draining = new Map<Ledger, Lane>();
    for (const lane of [...lanes.filter(isStarving), ...lanes.filter((each) => !isStarving(each))]) {
      const plans = this.#plansFor(lane, nowMs).filter(
        (plan) => !reserved.some((first) => hampers(plan, first, this.#plannerOf(plan.target))),
      );
      const startable = plans.find(
        (plan) => this.#canStart(plan) && !this.#keeping.keepsOneOf(plan.victims, isStarving(lane), nowMs),
      );
      if (startable !== undefined) this.#start(startable, nowMs);
      const [wanted] = plans;
      if (startable !== undefined || wanted === undefined || !isStarving(lane)) continue;
      reserved.push(wanted);
      if (!wanted.victims.every(mayDrain) || !this.#keeping.haveHadTheirTurns(wanted.victims, nowMs))
        continue;
      for (const victim of wanted.victims) draining.set(victim, lane);
    }
    this.#drain(draining);
  }

  /** Ways to serve a lane by a load, the one first that stops least; none when it need not or cannot be loaded now. */
  #plansFor(lane: Lane, nowMs: number): readonly SwapPlan[] {
    const head = lane.entries.first;
    if (head === undefined) return [];
    const targets = loadable(head, lane.model);
    if (targets.some((target) => this.#active.has(target))) return [];
    return targets
      .map((target) => planSwap(target, this.#hostOf(target, nowMs)))
      .sort((a, b) => a.victims.length - b.victims.length);
  }

  #canStart({ target, victims }: SwapPlan): boolean {
    for (const swap of this.#active.values()) if (swap.evicted.includes(target.id)) return false;
    return victims.every(mayGo);
  }

  #start({ target, victims, stopping, because }: SwapPlan, nowMs: number): void {
    const swap: Swap = {
      target,
      evicted: victims.map(({ id }) => id),
      because,
      startedMs: nowMs,
      waitsFor: new Set([...victims, ...stopping]),
      isLoading: false,
      readyMs: undefined,
      owed: new Set(),
    };
    this.#active.set(target, swap);
    for (const victim of victims) this.#processes.unload(victim, 'evicted');
    this.#loadIfFree(swap);
  }

  #loadIfFree(swap: Swap): void {
    if (swap.waitsFor.size > 0) return;
    swap.isLoading = true;
    this.#processes.load(swap.target);
  }

  #loaded(swap: Swap, nowMs: number): void {
    swap.readyMs = nowMs;
    if (swap.target.book !== undefined) swap.target.book.habits.loadMs = nowMs - swap.startedMs;
    const { book, seats } = swap.target;
    if (book !== undefined) book.load = swap;
    for (const [name, seat] of seats) {
      if (name === undefined) continue;
      for (const lane of this.#fleet.model(name).lanes.values()) {
        const head = lane.entries.first;
        if (head === undefined || !canUse(seat, head)) continue;
        for (const entry of lane.entries) {
          // It may have been waiting for another process of the model, too.
          entry.load?.owed.delete(entry);
          entry.load = swap;
          swap.owed.add(entry);
        }
      }
    }
  }

  /** Replaces the set of processes that take nobody new. */
  #drain(draining: ReadonlyMap<Ledger, Lane>): void {
    for (const ledger of this.#fleet.processes) {
      const { book } = ledger;
      if (book === undefined) continue;
      const lane = draining.get(ledger);
      if (book.drainsFor !== undefined && lane === undefined) this.#agenda.addLedger(ledger);
      book.drainsFor = lane;
    }
  }

  #hostOf(target: Ledger, nowMs: number): Host {
    const running: Ledger[] = [];
    const stopping: Ledger[] = [];
    for (const ledger of this.#fleet.processes) {
      const phase = ledger.book?.phase;
      if (ledger === target || hostOf(ledger) !== hostOf(target)) continue;
      // One that has left the fleet and still serves is gone with its last request; of anything else no news will come.
      if (!ledger.present && phase !== 'ready') continue;
      if (phase === 'stopping') stopping.push(ledger);
      else if (phase !== 'stopped' || this.#active.has(ledger)) running.push(ledger);
    }
    const engaged = new Set(running.filter((ledger) => !mayGo(ledger)).map(({ id }) => id));
    running.sort((one, other) => awayMs(other, nowMs) - awayMs(one, nowMs));
    return { planner: this.#plannerOf(target), running, engaged, stopping };
  }

  /** Finds out whether there is room for it at all. */
  #measure(ledger: Ledger): void {
    const { book } = ledger;
    if (book === undefined) return;
    const { misfit } = this.#plannerOf(ledger)?.evictionFor(ledger.id, []) ?? {};
    if ((misfit === undefined) !== (book.misfit === undefined)) this.#agenda.shape = true;
    book.misfit = misfit;
  }

  #plannerOf(target: Ledger): ResidencyPlanner | undefined {
    return this.#settings.residency.get(hostOf(target) ?? '');
  }
}

/** Its models may be others now: whoever it cannot serve any more does not keep it. */
function forgive({ book, seats }: Ledger): void {
  const owed = book?.load?.owed;
  if (owed === undefined) return;
  for (const entry of owed) {
    const seat = seats.get(entry.request.model);
    if (seat === undefined || !canUse(seat, entry)) owed.delete(entry);
  }
}

/** Not while it serves or loads, nor before those are served that it was loaded for. */
function mayGo(victim: Ledger): boolean {
  return mayDrain(victim) && !victim.isServing;
}

function mayDrain(victim: Ledger): boolean {
  const { book, present, isHealthy } = victim;
  return book?.phase === 'ready' && present && !(book.isOwing && isHealthy);
}

/** Since when nobody wants it, and for how long usually: one use of a rare one does not count for more than many; -1 in use. */
function awayMs({ book, isServing }: Ledger, nowMs: number): number {
  if (book?.phase !== 'ready' || isServing) return -1;
  return nowMs - book.idleFromMs + book.habits.meanPauseMs;
}

/** A lane without anybody, which is forgotten at once, would come last. */
function headOf(lane: Lane): Turn {
  return lane.entries.first ?? { priorityClass: Infinity, tag: Infinity, seq: Infinity };
}
