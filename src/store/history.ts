/**
 * The last minutes as a series of points for the monitor's small charts, so that a page that was just opened has a past.
 * Owns its timer and its points; reads everything through the function it is given.
 */
import type { Clock } from '../base/clock.ts';
import { createRingBuffer } from '../base/ring-buffer.ts';

export interface HistorySample {
  readonly requestsPerMinute: number;
  readonly outputTokensPerSecond: number;
  readonly queued: number;
  /** Slots taken by anybody, and slots of all backends that take requests. */
  readonly slotsUsed: number;
  readonly slotsTotal: number;
}

export interface HistoryPoint extends HistorySample {
  readonly atEpochMs: number;
}

export interface History {
  /** From the oldest to the newest. */
  points(): HistoryPoint[];
  /** Ends the timer. */
  close(): void;
}

export interface HistoryOptions {
  readonly clock: Clock;
  /** Most points that are kept. */
  readonly max: number;
  readonly intervalMs: number;
  /** Called once per interval. */
  readonly read: () => HistorySample;
}

/** Starts to sample at once; its timer does not keep the process alive. */
export function createHistory(options: HistoryOptions): History {
  const points = createRingBuffer<HistoryPoint>(options.max);
  function sample(): void {
    points.push({ atEpochMs: options.clock.epochMs(), ...options.read() });
  }
  sample();
  const timer = setInterval(sample, options.intervalMs);
  timer.unref();
  return {
    points: () => [...points.newestFirst()].reverse(),
    close: () => clearInterval(timer),
  };
}
