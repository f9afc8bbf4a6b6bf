/**
 * Contracts of placement policies. A policy is one declared object; the registry in policies/index.ts lists them all,
 * and configuration, docs and the contract suite follow from it.
 */
import type { BackendView } from '../domain/backend-view.ts';
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import type { Random } from '../base/random.ts';
import type { Turn } from './turn.ts';

/**
 * A backend that drains for a model which waited too long there. Whoever has its turn later than the claimant, and
 * wants another model, has to wait.
 */
export interface Claim {
  /** Canonical name on the claimed backend. */
  readonly model: ModelName | undefined;
  /** The turn of the first of those who wait for it. */
  readonly turn: Turn;
}

/** A backend as a policy sees it: its view and the scheduler's own counts. Read-only; valid during the call only. */
export interface Candidate {
  readonly view: BackendView;
  /** The requested model's canonical name there; undefined for a request without a model. */
  readonly model: ModelName | undefined;
  /** Permits, without lingering requests. */
  readonly inFlight: number;
  /** Requests of the model that run there, lingering ones too. */
  readonly inFlightOfModel: number;
  /** Distinct models that run there, lingering requests too. */
  readonly modelsInFlight: number;
  /** Free slots, own, foreign and lingering use taken off; can be ≤ 0. */
  readonly free: number;
  /** Its process is being stopped, or drains for a model that waited too long. */
  readonly isClosing: boolean;
  /** Model that the backend is reserved for after its last permit; undefined = not reserved. */
  readonly stickyTo: ModelName | undefined;
  readonly claim: Claim | undefined;
  /** The model need not be loaded first: it is in memory there, or runs there though no probe has listed it yet. */
  readonly isWarm: boolean;
  /** Tokens that a slot holds of the model; undefined = unknown. */
  readonly contextTokens: number | undefined;
}

/** What is cached of a request's prompt, and how evenly requests are spread. */
export interface PromptContext {
  /** 0 to 1, of those backends it could go to that have something of it. */
  readonly cachedShares: ReadonlyMap<BackendId, number>;
  /** Slots in use by our requests, this one included, as a share of all slots of the backends it could go to. */
  readonly usedShare: number;
  /** How much more than that one of them may have in use before its cache no longer counts; Infinity = any. */
  readonly loadFactor: number;
}

/** Everything about the request and the fleet that a policy may look at. */
export interface PlacementContext {
  readonly request: RequestFacts;
  readonly turn: Turn;
  /** Backends on which this request failed before. */
  readonly failedOn: ReadonlySet<BackendId>;
  readonly nowMs: number;
  /** Where this conversation went last, if it is remembered. */
  readonly sessionBackend: BackendId | undefined;
  /** The only backend that it waits for now, because that has its prompt cached; undefined = it takes any. */
  readonly awaited: BackendId | undefined;
  /** Undefined = nothing is known of its prompt, or no scorer asks. */
  readonly prompts: PromptContext | undefined;
  /** Requests in flight for the requested model over all backends, lingering ones too, and its limit. */
  readonly modelInFlight: number;
  readonly modelLimit: number | undefined;
  /** A live backend could take the request on which its model has not failed of late. */
  readonly hasTrusted: boolean;
  /** A backend without a free slot is used as well. */
  readonly slotsAreSoft: boolean;
}

/**
 * What an answer depends on. `backend`: on the candidate's backend and the settings alone, whatever the model. `seat`: on what
 * the model is there, too. Both are kept for all requests that take a slot, until something about the backend changes.
 * `request`: on the request, too.
 */
export type Subject = 'backend' | 'seat' | 'request';

/** Says no to a backend. Pure; order does not matter. */
export interface Filter {
  readonly kind: 'filter';
  readonly name: string;
  readonly looksAt: Subject;
  readonly summary: string;
  accepts(candidate: Candidate, context: PlacementContext): boolean;
  /** False = it accepts every backend for this request, so that it need not be asked for each. Absent = it may refuse one. */
  concerns?(context: PlacementContext): boolean;
}

/** Rates a backend, 0 (worst) to 1 (best). Pure; must return a finite number in [0, 1]. */
export interface Scorer {
  readonly kind: 'scorer';
  readonly name: string;
  readonly looksAt: Subject;
  readonly summary: string;
  score(candidate: Candidate, context: PlacementContext): number;
  /** False = it gives every backend 0 for this request. Absent = it may not. */
  concerns?(context: PlacementContext): boolean;
}

/** A backend that passed every filter, with its weighted total. */
export interface Scored {
  readonly candidate: Candidate;
  readonly total: number;
}

/** What the scheduler keeps for pickers: a cursor per model, and randomness. */
export interface PickerState {
  /** Returns the turn of the requested model (0, 1, 2 …) and moves it on. */
  nextTurn(): number;
  readonly random: Random;
}

/** Chooses one of the scored backends, given in configuration order; undefined only when there is none. */
export interface Picker {
  readonly kind: 'picker';
  readonly name: string;
  readonly summary: string;
  pick<One extends Scored>(
    scored: readonly One[],
    state: PickerState,
    context: PlacementContext,
  ): One | undefined;
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
