/** Time and timers of the simulation as one value, so that a test can drive both. */
import { systemClock, type Clock } from '../base/clock.ts';

/** What `set` returned; only `clear` looks into it. */
export type TimerHandle = object;

export interface Timers extends Clock {
  /** Calls `task` once, `delayMs` from now. */
  set(task: () => void, delayMs: number): TimerHandle;
  /** Undefined and timers that are over are fine. */
  clear(handle: TimerHandle | undefined): void;
}

/** The machine's own. A pending timer keeps the program alive only while an engine or the traffic is open. */
export const systemTimers: Timers = {
  ...systemClock,
  set: (task, delayMs) => setTimeout(task, delayMs),
  clear: (handle) => clearTimeout(handle as NodeJS.Timeout),
};
