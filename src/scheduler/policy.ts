/**
 * Contracts of placement policies. A policy is one declared object; the registry in policies/index.ts lists them all,
 * and configuration, docs and the contract suite follow from it.
 */
import type { BackendView } from '../domain/backend-view.ts';
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import type { Random } from '../base/random.ts';

/** A backend as a policy sees it: its view and the scheduler's own counts. Read-only; valid during the call only. */
export interface Candidate {
  readonly view: BackendView;
  /** The requested model's canonical name there; undefined for a request without a model. */
  readonly model: ModelName | undefined;
  readonly inFlight: number;
  readonly inFlightOfModel: number;
  /** Distinct models with permits there. */
  readonly modelsInFlight: number;
  /** Free slots, own, foreign and lingering use taken off; can be ≤ 0. */
  readonly free: number;
  readonly stickyTo: ModelName | undefined;
}

/** Everything about the request and the fleet that a policy may look at. */
export interface PlacementContext {
  readonly request: RequestFacts;
  readonly nowMs: number;
  /** Where this conversation went last, if it is remembered. */
  readonly sessionBackend: BackendId | undefined;
  /** Requests in flight for the requested model over all backends, and its limit. */
  readonly modelInFlight: number;
  readonly modelLimit: number | undefined;
}

/** Says no to a backend. Pure; order does not matter. */
export interface Filter {
  readonly kind: 'filter';
  readonly name: string;
  readonly summary: string;
  accepts(candidate: Candidate, context: PlacementContext): boolean;
}

/** Rates a backend, 0 (worst) to 1 (best). Pure; must return a finite number in [0, 1]. */
export interface Scorer {
  readonly kind: 'scorer';
  readonly name: string;
  readonly summary: string;
  score(candidate: Candidate, context: PlacementContext): number;
}

/** A backend that passed every filter, with its weighted total. */
export interface Scored {
  readonly candidate: Candidate;
  readonly total: number;
}

/** What the scheduler keeps for pickers: a cursor per model, and randomness. */
export interface PickerState {
  /** Returns the turn of this model (0, 1, 2 …) and moves it on. */
  nextTurn(model: ModelName | undefined): number;
  readonly random: Random;
}

/** Chooses one of at least one scored backend, given in configuration order. */
export interface Picker {
  readonly kind: 'picker';
  readonly name: string;
  readonly summary: string;
  pick(scored: readonly Scored[], state: PickerState, context: PlacementContext): Scored;
}

export function defineFilter(filter: Omit<Filter, 'kind'>): Filter {
  return { kind: 'filter', ...filter };
}

export function defineScorer(scorer: Omit<Scorer, 'kind'>): Scorer {
  return { kind: 'scorer', ...scorer };
}

export function definePicker(picker: Omit<Picker, 'kind'>): Picker {
  return { kind: 'picker', ...picker };
}
