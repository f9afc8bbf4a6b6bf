/**
 * Which backends exist, what they serve and which have room: the indexes that let an event touch only what it affects.
 * Decides nothing about requests.
 */
import type { BackendView } from '../domain/backend-view.ts';
import type { BackendId, ModelName } from '../domain/ids.ts';
import { Ledger } from './ledger.ts';
import type { Lingering } from './ledger.ts';
import type { Phase } from './process-book.ts';
import { ServedModel } from './served-model.ts';

/** What a new view meant beyond a change of numbers. */
export interface FleetChange {
  readonly ledger: Ledger;
  /** State, models or contexts changed: who can be served at all may have changed. */
  readonly shape: boolean;
  /** Models whose set of context sizes changed. */
  readonly contexts: readonly ServedModel[];
  /** It came back from the dead, appeared or left: what was known of its engine is void. */
  readonly reset: boolean;
  /** Lingering requests that are over. */
  readonly over: readonly Lingering[];
  /** Of its process until now; undefined = it has none, or appeared. */
  readonly phaseBefore: Phase | undefined;
  /** Its newest load has failed just now. */
  readonly loadFailed: boolean;
}

export class Fleet {
  readonly #ledgers = new Map<BackendId, Ledger>();
  readonly #models = new Map<ModelName | undefined, ServedModel>();
  /** Live with a free slot, where that is asked for, in configuration order. */
  readonly #ready: Ledger[] = [];
  /** Those that are processes, in order of appearance. */
  readonly #processes = new Set<Ledger>();
  /** Those with models that failed there of late. */
  readonly #distrusting = new Set<Ledger>();
  #slotsAreSoft = false;
  #backendsSeen = 0;
  #swapping = 0;
  #unknown = 0;

  /** Those of the configuration and those that left it with permits out. */
  get ledgers(): IterableIterator<Ledger> {
    return this.#ledgers.values();
  }

  get ready(): readonly Ledger[] {
    return this.#ready;
  }

  /** Backends that are processes, also those that left and still serve. */
  get processes(): ReadonlySet<Ledger> {
    return this.#processes;
  }

  /** Whether any backend can have to swap models. */
  get swaps(): boolean {
    return this.#swapping > 0;
  }

  /** Whether any backend was not probed yet and may serve anything. */
  get hasUnknown(): boolean {
    return this.#unknown > 0;
  }

  /** Whether any backend is not trusted with something that it serves. */
  get distrusts(): boolean {
    return this.#distrusting.size > 0;
  }

  /** Those of them, in no order. */
  get distrusted(): ReadonlySet<Ledger> {
    return this.#distrusting;
  }

  get backendsKnown(): number {
    return this.#ledgers.size;
  }

  get modelsKnown(): number {
    return this.#models.size;
  }

  /** False until the first call. */
  configure({ slotsAreSoft }: { readonly slotsAreSoft: boolean }): void {
    this.#slotsAreSoft = slotsAreSoft;
    for (const ledger of this.#ledgers.values()) {
      ledger.touch();
      this.refresh(ledger);
    }
  }

  ledger(id: BackendId): Ledger | undefined {
    return this.#ledgers.get(id);
  }

  /** Remembered from the first time it is asked for until `forgetIfUnused`. */
  model(name: ModelName | undefined): ServedModel {
    let model = this.#models.get(name);
    if (model === undefined) {
      model = new ServedModel(name);
      this.#models.set(name, model);
    }
    return model;
  }

  forgetIfUnused(model: ServedModel): void {
    if (model.isUnused) this.#models.delete(model.name);
  }

  /** Undefined = old news, which change nothing. */
  apply(view: BackendView): FleetChange | undefined {
    let ledger = this.#ledgers.get(view.id);
    if (ledger?.present === true && ledger.book?.isOutdated(view) === true) return undefined;
    const isNew = ledger === undefined;
    if (ledger === undefined) {
      ledger = new Ledger(view, this.#backendsSeen);
      this.#backendsSeen += 1;
      this.#ledgers.set(view.id, ledger);
    }
    if (!isNew) this.#count(ledger, -1);
    const before = ledger.view;
    const appeared = isNew || !ledger.present;
    const phaseBefore = appeared ? undefined : ledger.book?.phase;
    ledger.present = true;
    ledger.show(view, appeared);
    if (ledger.book === undefined) this.#processes.delete(ledger);
    else this.#processes.add(ledger);
    const phase = ledger.book?.phase;
    const isNewPhase = phase !== phaseBefore;
    const reset = appeared || before.epoch !== view.epoch || (isNewPhase && phase === 'stopped');
    const over = reset ? [...ledger.reset()] : [];
    over.push(...ledger.read(view.slots));
    const reseated =
      appeared ||
      !isSameMap(before.models, view.models) ||
      !isSameMap(before.contextTokens, view.contextTokens);
    const contexts = reseated ? this.#reseat(ledger) : [];
    this.#count(ledger, 1);
    this.refresh(ledger);
    const shape =
      reseated ||
      before.state !== view.state ||
      before.process?.failure?.retryAtMs !== view.process?.failure?.retryAtMs;
    const loadFailed = ledger.book?.hasLoadFailed === true;
    return { ledger, shape, contexts, reset, over, phaseBefore, loadFailed };
  }

  /** The backend left the configuration. Its ledger stays while permits are out. */
  remove(id: BackendId): FleetChange | undefined {
    const ledger = this.#ledgers.get(id);
    if (ledger === undefined || !ledger.present) return undefined;
    this.#count(ledger, -1);
    const over = ledger.reset();
    const phaseBefore = ledger.book?.phase;
    ledger.present = false;
    const contexts = this.#reseat(ledger);
    this.refresh(ledger);
    return { ledger, shape: true, contexts, reset: true, over, phaseBefore, loadFailed: false };
  }

  /** To be called after every change of a ledger: keeps the list of those with room, drops those that are done with. */
  refresh(ledger: Ledger): void {
    const ready = ledger.isHealthy && (this.#slotsAreSoft || ledger.free > 0);
    if (ready !== ledger.ready) {
      ledger.ready = ready;
      const at = this.#placeOf(ledger);
      this.#ready.splice(at, ready ? 0 : 1, ...(ready ? [ledger] : []));
    }
    if (ledger.present || ledger.isServing) return;
    this.#ledgers.delete(ledger.id);
    this.#processes.delete(ledger);
  }

  #count(ledger: Ledger, sign: 1 | -1): void {
    if (!ledger.present) return;
    if (sign > 0 && (ledger.view.distrusted?.size ?? 0) > 0) this.#distrusting.add(ledger);
    else this.#distrusting.delete(ledger);
    if (ledger.swaps) this.#swapping += sign;
    if (ledger.view.state === 'unknown') this.#unknown += sign;
  }

  /** Index of the first ready ledger that is not before this one. */
  #placeOf(ledger: Ledger): number {
    let low = 0;
    let high = this.#ready.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ready[middle]?.order ?? Infinity) < ledger.order) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #reseat(ledger: Ledger): readonly ServedModel[] {
    const contextsBefore = new Map<ServedModel, string>();
    const touch = (name: ModelName | undefined): ServedModel => {
      const model = this.model(name);
      if (!contextsBefore.has(model)) contextsBefore.set(model, model.contextsKey);
      return model;
    };
    for (const [name, seat] of ledger.seats) touch(name).removeSeat(seat);
    ledger.reseat();
    for (const [name, seat] of ledger.seats) touch(name).addSeat(seat);
    const changed: ServedModel[] = [];
    for (const [model, contexts] of contextsBefore) {
      if (model.contextsKey !== contexts) changed.push(model);
      this.forgetIfUnused(model);
    }
    return changed;
  }
}

function isSameMap<Key, Value>(a: ReadonlyMap<Key, Value>, b: ReadonlyMap<Key, Value>): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
