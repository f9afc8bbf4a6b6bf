/** The scheduler's only way out. Called synchronously from inside `handle`; must not call `handle` again from there. */
import type { LoadFailure } from '../domain/backend-view.ts';
import type { BackendId, ModelName, RequestId } from '../domain/ids.ts';
import type { Decision } from './decision.ts';
import type { Misfit } from './residency/planner.ts';

/** The right to one slot of one backend, held by one request until requestFinished or requestRetried. */
export interface Grant {
  readonly id: RequestId;
  readonly backend: BackendId;
  /** The model's canonical name on that backend; undefined for a request without a model. */
  readonly model: ModelName | undefined;
  /** The slot to be used there, as the engine numbers them; absent = the engine chooses. */
  readonly slot?: number | undefined;
  /** 1 for the first grant of this request, 2 after one retry … */
  readonly attempt: number;
  readonly waitedMs: number;
  /** Why it went there. */
  readonly decision: Decision;
}

export type RejectReason =
  /** The queue holds `queueMax` entries. */
  | 'queueFull'
  /** Waited `queueTimeoutMs`. */
  | 'queueTimeout'
  /** Backends are known that serve the model, none was alive for `deadWaitMs` (or none at all was ever alive). */
  | 'noBackend'
  /** Every backend is known, and none serves the model. */
  | 'modelUnknown'
  /** The prompt is certainly longer than every context that serves the model. */
  | 'contextTooLong'
  /** After requestRetried: it has failed on every backend that serves the model and is not dead. */
  | 'exhausted'
  | 'draining'
  /** Its model would have to be loaded, and the load failed; `loadFailure` says why. */
  | 'loadFailed'
  /** Its model would have to be loaded, and alone takes more memory than its host has for models; `misfit` says which. */
  | 'doesNotFit'
  /** It waited for a process that was unloaded by somebody's wish. */
  | 'unloaded'
  /** The model has as many requests, waiting ones included, as `admissionLimits` allows. */
  | 'modelBusy';

/** ttl: unused for its time to live. evicted: another model needs its place. requested: somebody's wish. */
export type UnloadReason = 'ttl' | 'evicted' | 'requested';

export interface Rejection {
  readonly id: RequestId;
  readonly reason: RejectReason;
  readonly waitedMs: number;
  /** A truthful guess when trying again makes sense, from the rate at which slots became free; undefined = no idea. */
  readonly retryAfterMs: number | undefined;
  /** Entries waiting at that moment. */
  readonly queued: number;
  /** Only with `loadFailed`. */
  readonly loadFailure?: LoadFailure;
  /** Only with `doesNotFit`. */
  readonly misfit?: Misfit;
}

export interface Effects {
  grant(grant: Grant): void;
  reject(rejection: Rejection): void;
  /**
   * Start a process. Answered by views of it: `starting`, then `live`, or `stopped` with a failure, all with this
   * generation. Called only while its view says `stopped`, and once until then.
   */
  load(backend: BackendId, generation: number): void;
  /** Stop a process. Answered by views of it: `stopping`, then `stopped`. Nothing is granted there any more. */
  unload(backend: BackendId, reason: UnloadReason): void;
  /** Ask for `timePassed` at this time; replaces the time asked for before. Infinity = nothing to wait for. */
  wakeAt(atMs: number): void;
}
