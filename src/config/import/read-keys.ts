/** Goes through the keys of a foreign file by the table of its system: each is carried, or noted with the reason. */
import { nearestName } from '../../base/nearest-name.ts';
import { shownText } from '../problems.ts';
import type { Draft } from './draft.ts';
import type { ForeignKey, Setting } from './foreign-key.ts';
import type { ForeignMap } from './foreign-value.ts';
import { isEmpty } from './read-setting.ts';

export interface KeyReading<State> {
  readonly keys: readonly ForeignKey<State>[];
  readonly state: State;
  readonly draft: Draft;
}

/** Every key of the map that has a value; `unknown: 'ignored'` for an environment, where most variables are somebody else's. */
export function readKeys<State>(
  map: ForeignMap,
  { keys, state, draft }: KeyReading<State>,
  unknown: 'noted' | 'ignored' = 'noted',
): void {
  const known = new Map(keys.flatMap((key) => namesOf(key).map((name) => [name, key] as const)));
  const passed = passedOver(map, keys);
  for (const [key, { value, at }] of map.entries) {
    const row = known.get(key);
    if (row === undefined) {
      if (unknown === 'noted') noteUnknown({ key, value, at }, known.keys(), draft);
    } else if (isEmpty(value) || passed.has(key)) continue;
    else if (row.carry !== undefined) row.carry({ key, value, at }, state, draft);
    else draft.note(key, at, row.remark, row.isSecret === true ? undefined : value);
  }
}

/** The value of a key that nobody knows may be a secret: it is not shown. */
export function noteUnknown({ key, at }: Setting, names: Iterable<string>, draft: Draft): void {
  const name = key.slice(key.lastIndexOf('.') + 1);
  const near = nearestName(name, names);
  draft.note(key, at, near === undefined ? 'unknown key' : `unknown key; did you mean '${shownText(near)}'?`);
}

export function namesOf({ name, spellings = [] }: { name: string; spellings?: readonly string[] }): string[] {
  return [name, ...spellings];
}

/** Of several spellings of one key the first in the table that has a value counts; these are the others. */
function passedOver<State>(map: ForeignMap, keys: readonly ForeignKey<State>[]): ReadonlySet<string> {
  const hasValue = (name: string): boolean => {
    const entry = map.entries.get(name);
    return entry !== undefined && !isEmpty(entry.value);
  };
  return new Set(keys.flatMap((key) => namesOf(key).filter(hasValue).slice(1)));
}
