/** How the API writes times, durations and session names. */
import { createHash } from 'node:crypto';

export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** Three decimals: milliseconds of a number of seconds, microseconds of one in milliseconds. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** The time from one moment to another in ms, or null when one of them never came. */
export function spanMs(fromMs: number | undefined, toMs: number | undefined): number | null {
  return fromMs === undefined || toMs === undefined ? null : rounded(Math.max(0, toMs - fromMs));
}

/** Session names can identify people; eight digits of a hash still tell two conversations apart. */
export function maskedSession(session: string | undefined): string | null {
  if (session === undefined) return null;
  return createHash('sha256').update(session).digest('hex').slice(0, 8);
}
