/** Words the answers to requests: what a grant or a rejection says about its reasons. Decides nothing. */
import type { LoadFailure } from '../domain/backend-view.ts';
import type { Effects, RejectReason } from './effects.ts';
import type { Entry } from './entry.ts';
import type { Permits } from './permits.ts';
import type { Choice } from './placement.ts';
import type { Queue } from './queue.ts';
import { failureFor, misfitFor } from './servability.ts';
import type { ServedModel } from './served-model.ts';
import { loadTraceOf } from './swap.ts';

export class Answers {
  readonly #effects: Effects;
  readonly #queue: Queue;
  readonly #permits: Permits;

  constructor(options: { effects: Effects; queue: Queue; permits: Permits }) {
    this.#effects = options.effects;
    this.#queue = options.queue;
    this.#permits = options.permits;
  }

  /** After its permit was taken. */
  grant(entry: Entry, choice: Choice, at: { readonly overtook: number; readonly nowMs: number }): void {
    const { request, attempt } = entry;
    const { seat, picker, candidates } = choice;
    const backend = seat.ledger.id;
    const waitedMs = at.nowMs - entry.arrivedMs;
    const loaded = loadTraceOf(entry, seat.ledger);
    this.#effects.grant({
      id: request.id,
      backend,
      model: seat.model,
      attempt,
      waitedMs,
      decision: {
        request: request.id,
        model: request.model,
        backend,
        atMs: at.nowMs,
        waitedMs,
        attempt,
        overtook: at.overtook,
        ...(loaded && { loaded }),
        picker,
        candidates,
      },
    });
  }

  /** After it left the queue. */
  reject(
    entry: Entry,
    reason: RejectReason,
    at: { readonly model: ServedModel; readonly nowMs: number },
  ): void {
    const loadFailure = reason === 'loadFailed' ? failureFor(entry, at.model) : undefined;
    const misfit = reason === 'doesNotFit' ? misfitFor(entry, at.model) : undefined;
    this.#effects.reject({
      id: entry.request.id,
      reason,
      waitedMs: at.nowMs - entry.arrivedMs,
      retryAfterMs: this.#retryAfterMs(reason, { ...at, loadFailure }),
      queued: this.#queue.size,
      ...(loadFailure && { loadFailure }),
      ...(misfit && { misfit }),
    });
  }

  #retryAfterMs(
    reason: RejectReason,
    at: {
      readonly model: ServedModel;
      readonly nowMs: number;
      readonly loadFailure: LoadFailure | undefined;
    },
  ): number | undefined {
    if (reason === 'queueFull' || reason === 'queueTimeout') {
      return this.#permits.estimateMs(this.#queue.size + 1, at.nowMs);
    }
    if (reason === 'modelBusy') return this.#permits.nextEndMs(at.model, at.nowMs);
    const leftMs = (at.loadFailure?.retryAtMs ?? at.nowMs) - at.nowMs;
    return leftMs > 0 ? leftMs : undefined;
  }
}
