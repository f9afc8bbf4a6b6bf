/** Words the answers to requests: what a grant or a rejection says about its reasons. Decides nothing. */
import type { LoadFailure } from '../domain/backend-view.ts';
import { TracedDecision } from './decision.ts';
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
    const { seat, trace } = choice;
    const waitedMs = at.nowMs - entry.arrivedMs;
    this.#effects.grant({
      id: entry.request.id,
      backend: seat.ledger.id,
      model: seat.model,
      slot: entry.slot?.id,
      attempt: entry.attempt,
      waitedMs,
      decision: new TracedDecision(
        {
          request: entry.request.id,
          model: entry.request.model,
          backend: seat.ledger.id,
          atMs: at.nowMs,
          waitedMs,
          attempt: entry.attempt,
          overtook: at.overtook,
          loaded: loadTraceOf(entry, seat.ledger),
        },
        trace,
      ),
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
