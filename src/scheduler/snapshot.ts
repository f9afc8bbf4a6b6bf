/** What others may see of the scheduler's state, copied on request. */
import type { BackendView } from '../domain/backend-view.ts';
import type { BackendId, FlowId, ModelName, RequestId } from '../domain/ids.ts';

export interface QueuedSnapshot {
  readonly id: RequestId;
  readonly model: ModelName | undefined;
  readonly flow: FlowId;
  readonly session: string | undefined;
  readonly priority: number;
  readonly tokensEstimated: number;
  readonly waitedMs: number;
  /** 1 = next in order. */
  readonly position: number;
  readonly overtaken: number;
  readonly attempt: number;
}

export interface BackendSnapshot {
  readonly view: BackendView;
  /** Permits held by requests of this router. */
  readonly inFlight: number;
  /** Slots taken by requests whose client left while the engine went on. */
  readonly lingering: number;
  /** Slots taken by others, as far as the engine's readings tell. */
  readonly foreign: number;
  readonly free: number;
  readonly inFlightByModel: ReadonlyMap<ModelName, number>;
  /** Model the backend is reserved for, and until when (Clock.nowMs); undefined = not reserved. */
  readonly stickyTo: ModelName | undefined;
  readonly stickyUntilMs: number | undefined;
}

export interface SchedulerSnapshot {
  readonly queuedTotal: number;
  /** In order; at most the number asked for. */
  readonly queued: readonly QueuedSnapshot[];
  readonly backends: ReadonlyMap<BackendId, BackendSnapshot>;
  readonly sessions: number;
  readonly draining: boolean;
}
