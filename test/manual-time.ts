/** A clock with its timers, for tests of what watches by time. */
import type { Timers } from '../src/engines/watch-context.ts';

/** Time that stands still until it is moved; timers fire only then. */
export function createManualTime() {
  let nowMs = 0;
  let last = 0;
  const pending = new Map<number, { readonly callback: () => void; readonly atMs: number }>();
  const timers: Timers = {
    set(callback, delayMs) {
      pending.set(++last, { callback, atMs: nowMs + delayMs });
      return last;
    },
    clear(handle) {
      if (typeof handle === 'number') pending.delete(handle);
    },
  };
  return {
    clock: { nowMs: () => nowMs, epochMs: () => 1_700_000_000_000 + nowMs },
    timers,
    pending: () => pending.size,
    nextInMs: () => Math.min(...Array.from(pending.values(), ({ atMs }) => atMs)) - nowMs,
    advance(ms: number) {
      nowMs += ms;
      for (const [handle, { callback, atMs }] of pending) {
        if (atMs > nowMs) continue;
        pending.delete(handle);
        callback();
      }
    },
  };
}
