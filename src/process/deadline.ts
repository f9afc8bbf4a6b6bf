/** A point in time that can only come nearer: how long a child may take to end, whoever asked last. */
import type { Clock } from '../base/clock.ts';

export interface Deadline {
  /** Moves the deadline to this clock time if that is earlier than what was asked before. */
  tighten(atMs: number): void;
  readonly isReached: boolean;
  /** Resolves when the time has come; never without a `tighten`. */
  readonly reached: Promise<void>;
  /** Ends its timer. */
  clear(): void;
}

/** A longer timer would fire at once. */
const timerMsMax = 2 ** 31 - 1;

export function createDeadline(clock: Clock): Deadline {
  const { promise, resolve } = Promise.withResolvers<void>();
  let dueAtMs = Infinity;
  let timer: NodeJS.Timeout | undefined;
  let isReached = false;
  function fire(): void {
    isReached = true;
    resolve();
  }
  return {
    reached: promise,
    get isReached() {
      return isReached;
    },
    tighten(atMs) {
      if (isReached || atMs >= dueAtMs) return;
      dueAtMs = atMs;
      clearTimeout(timer);
      const leftMs = atMs - clock.nowMs();
      if (leftMs <= 0) fire();
      else timer = setTimeout(fire, Math.min(leftMs, timerMsMax));
    },
    clear() {
      clearTimeout(timer);
    },
  };
}
