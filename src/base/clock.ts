/** Time as a value that is passed in. Nothing below the composition root reads the machine's clock itself. */

export interface Clock {
  /** Milliseconds since an arbitrary start; never goes backwards. For durations and deadlines. */
  nowMs(): number;
  /** Milliseconds since the Unix epoch. For what people and other programs read. */
  epochMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  epochMs: () => Date.now(),
};
