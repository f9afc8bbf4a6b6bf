/** How long a program that keeps crashing must wait before it is started again. Pure: time comes in, nothing is kept. */

export interface BackoffSettings {
  /** Wait after the second crash in a row; doubles with each further one. Default 1 s. */
  readonly baseMs: number;
  /** Longest wait. Default 60 s. */
  readonly capMs: number;
  /** After being ready for this long a run counts as healthy: earlier crashes are forgotten. Default 60 s. */
  readonly stableMs: number;
}

export const defaultBackoff: BackoffSettings = { baseMs: 1000, capMs: 60_000, stableMs: 60_000 };

export interface CrashHistory {
  readonly crashesInRow: number;
  /** Clock time before which no new start is made. */
  readonly notBeforeMs: number;
}

export const noCrashes: CrashHistory = { crashesInRow: 0, notBeforeMs: -Infinity };

/** How a run ended. `readyForMs` is 0 when it never became ready. */
export interface EndedRun {
  readonly crashed: boolean;
  readonly readyForMs: number;
  readonly nowMs: number;
}

/**
 * The first crash is free, so that one bad moment costs the next request nothing but the start. A run that was stopped
 * on purpose adds no crash; it clears the history only if it was ready for long enough.
 */
export function afterRun(
  history: CrashHistory,
  run: EndedRun,
  settings: BackoffSettings = defaultBackoff,
): CrashHistory {
  const before = run.readyForMs >= settings.stableMs ? noCrashes : history;
  if (!run.crashed) return before;
  const crashesInRow = before.crashesInRow + 1;
  return { crashesInRow, notBeforeMs: run.nowMs + delayMs(crashesInRow, settings) };
}

/** Milliseconds until a start is allowed; 0 = now. */
export function waitBeforeStartMs(history: CrashHistory, nowMs: number): number {
  return Math.max(0, history.notBeforeMs - nowMs);
}

function delayMs(crashesInRow: number, settings: BackoffSettings): number {
  if (crashesInRow <= 1) return 0;
  return Math.min(settings.capMs, settings.baseMs * 2 ** (crashesInRow - 2));
}
