/** Who decides where a request goes, and the simplest one: every live backend in turn. */
import type { PromptReport } from '../domain/prompt-chain.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import type { RequestId } from '../domain/ids.ts';
import type { Backend } from '../engines/backend.ts';
import type { Grant, Rejection } from '../scheduler/effects.ts';

/** Exactly one of these is called per `arrive` or `retry`, unless the request is cancelled first. */
export interface Waiter {
  granted(grant: Grant): void;
  rejected(rejection: Rejection): void;
}

export interface Placer {
  /** Puts a request in line. The waiter may be called before this returns. */
  arrive(request: RequestFacts, waiter: Waiter): void;
  /** Takes a waiting request out of line. */
  cancel(id: RequestId): void;
  /** Gives a granted request's slot back. `lingers`: the engine goes on with it. `prompt`: it has read the prompt. */
  finish(id: RequestId, lingers: boolean, prompt?: PromptReport): void;
  /** Gives the slot back and asks for another backend; the same waiter is answered again. */
  retry(id: RequestId): void;
}

/** For one best-effort request: the given backends in order, no slots, no queue. */
export function createInTurnPlacer(backends: readonly Backend[], nowMs: number): Placer {
  let next = 0;
  let asked: { request: RequestFacts; waiter: Waiter } | undefined;
  function offer(): void {
    if (asked === undefined) return;
    const { request, waiter } = asked;
    const backend = backends[next];
    next += 1;
    if (backend === undefined) {
      const reason = next === 1 ? 'noBackend' : 'exhausted';
      waiter.rejected({ id: request.id, reason, waitedMs: 0, retryAfterMs: undefined, queued: 0 });
      return;
    }
    const attempt = next;
    waiter.granted({
      id: request.id,
      backend: backend.id,
      model: undefined,
      attempt,
      waitedMs: 0,
      decision: {
        request: request.id,
        model: undefined,
        backend: backend.id,
        atMs: nowMs,
        waitedMs: 0,
        attempt,
        overtook: 0,
        picker: 'in-turn',
        candidates: [],
      },
    });
  }
  return {
    arrive(request, waiter) {
      asked = { request, waiter };
      offer();
    },
    cancel() {
      asked = undefined;
    },
    finish() {
      asked = undefined;
    },
    retry: offer,
  };
}
