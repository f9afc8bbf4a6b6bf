/** Takes plain values out of foreign ones, or fails the draft with the place of what is wrong. Accepts what pydantic accepts. */
import { formatDuration } from '../values.ts';
import type { Draft } from './draft.ts';
import type { ForeignMap, ForeignValue } from './foreign-value.ts';
import type { Setting } from './foreign-key.ts';

/** What a duration of Llamero can be at most. */
const secondsMax = 24 * 86_400;

const trueWords = new Set(['true', '1', 'yes', 'on', 'y', 't']);
const falseWords = new Set(['false', '0', 'no', 'off', 'n', 'f']);

export function tryInteger({ key, value }: Setting, draft: Draft): number | undefined {
  const number = numberIn(value);
  if (number !== undefined && Number.isSafeInteger(number)) return number;
  return fail(draft, key, value, 'must be a whole number');
}

export function tryNumber({ key, value }: Setting, draft: Draft): number | undefined {
  return numberIn(value) ?? fail(draft, key, value, 'must be a number');
}

export function tryFlag({ key, value }: Setting, draft: Draft): boolean | undefined {
  const word = value.kind === 'scalar' ? String(value.value).toLowerCase() : '';
  if (trueWords.has(word)) return true;
  if (falseWords.has(word)) return false;
  return fail(draft, key, value, 'must be true or false');
}

/** Numbers count as text. */
export function tryText({ key, value }: Setting, draft: Draft): string | undefined {
  if (value.kind === 'scalar' && value.value !== null && typeof value.value !== 'boolean') {
    return String(value.value);
  }
  return fail(draft, key, value, 'must be text');
}

export function tryList({ key, value }: Setting, draft: Draft): readonly Setting[] | undefined {
  if (value.kind !== 'list') return fail(draft, key, value, 'must be a list');
  return value.items.map((item, index) => ({ key: `${key}[${index}]`, value: item, at: item.at }));
}

export function tryMap({ key, value }: Setting, draft: Draft): ForeignMap | undefined {
  return value.kind === 'map' ? value : fail(draft, key, value, 'must be a map');
}

/** The settings in a map, under the name of the map. */
export function settingsIn({ key }: Setting, map: ForeignMap): Setting[] {
  return [...map.entries].map(([name, { value, at }]) => ({ key: `${key}.${name}`, value, at }));
}

export function isEmpty(value: ForeignValue): boolean {
  return value.kind === 'scalar' && value.value === null;
}

/** Seconds as Llamero writes them; undefined where they are no time that it takes. */
export function tryDurationText(seconds: number, secondsMin = 0.001): string | undefined {
  if (seconds < secondsMin || seconds > secondsMax) return undefined;
  return formatDuration(seconds === 0 ? 0 : Math.max(1, Math.round(seconds * 1000)));
}

function numberIn(value: ForeignValue): number | undefined {
  if (value.kind !== 'scalar') return undefined;
  if (typeof value.value === 'number') return Number.isFinite(value.value) ? value.value : undefined;
  if (typeof value.value !== 'string' || !/^[-+]?\d+(?:\.\d+)?$/.test(value.value.trim())) return undefined;
  return Number(value.value);
}

function fail(draft: Draft, key: string, value: ForeignValue, message: string): undefined {
  draft.fail(value.at, key, message);
}
