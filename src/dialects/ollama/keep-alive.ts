/** Ollama's `keep_alive`: how long a model stays loaded after a request, in seconds or as a duration like `1h30m`. */
import { isBigNumber } from '../../base/exact-json.ts';
import { pathOf } from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
/** Go's durations, and seconds in a string, which clients send and Ollama refuses. */
const duration =
  /^[+-]?(?:\d{1,15}|(?:(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})(?:ns|us|µs|μs|ms|s|m|h)){1,16})$/;
const piece = /(?<count>\d*\.?\d*)(?<unit>ns|us|µs|μs|ms|s|m|h)/g;

/** As it came. @throws RequestShapeError */
export function readKeepAlive(place: Place): string | number | undefined {
  const value = place.fields['keep_alive'] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'number') return value;
  // Far beyond what matters: the sign is all that counts.
  if (isBigNumber(value)) return value.rawJSON.startsWith('-') ? -1 : Number.MAX_SAFE_INTEGER;
  if (typeof value === 'string' && duration.test(value)) return value;
  throw new RequestShapeError(
    pathOf(place, 'keep_alive'),
    'must be a number of seconds or a duration like 5m',
  );
}

/** In milliseconds; Infinity for ever, which is what less than 0 means. */
export function keepAliveMs(value: string | number): number {
  const seconds = Number(value);
  if (!Number.isNaN(seconds)) return seconds < 0 ? Infinity : seconds * 1000;
  if (typeof value === 'number' || value.startsWith('-')) return Infinity;
  let ms = 0;
  for (const { groups } of value.matchAll(piece)) {
    ms += Number(groups?.['count']) * (unitMs[groups?.['unit'] ?? ''] ?? 0);
  }
  return ms;
}
