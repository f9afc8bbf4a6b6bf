/** The scheduler's only way out. Called synchronously from inside `handle`; must not call `handle` again from there. */
import type { BackendId, ModelName, RequestId } from '../domain/ids.ts';
import type { Decision } from './decision.ts';

/** The right to one slot of one backend, held by one request until requestFinished or requestRetried. */
export interface Grant {
  readonly id: RequestId;
  readonly backend: BackendId;
  /** The model's canonical name on that backend; undefined for a request without a model. */
  readonly model: ModelName | undefined;
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
  | 'draining';

export interface Rejection {
  readonly id: RequestId;
  readonly reason: RejectReason;
  readonly waitedMs: number;
  /** A truthful guess when trying again makes sense, from the rate at which slots became free; undefined = no idea. */
  readonly retryAfterMs: number | undefined;
  /** Entries waiting at that moment. */
  readonly queued: number;
}

export interface Effects {
  grant(grant: Grant): void;
  reject(rejection: Rejection): void;
  /** Ask for `timePassed` at this time; replaces the time asked for before. Infinity = nothing to wait for. */
  wakeAt(atMs: number): void;
}
