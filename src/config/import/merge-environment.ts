/** Joins settings of the environment with those of a file, for systems whose keys can be written in both. */
import type { ForeignEntry, ForeignMap, ForeignValue } from './foreign-value.ts';
import { foreignValueOf } from './foreign-value.ts';

export interface EnvironmentRules {
  /** `PREFIX_` before the name of a key in upper case. */
  readonly prefix: string;
  /** Keys of the file. */
  readonly names: readonly string[];
  /** Who counts when both have a key. */
  readonly wins: 'file' | 'environment';
}

/** Variables that stand for no key are left alone; lists and maps in variables are JSON. */
export function withEnvironment(
  file: ForeignMap,
  environment: ForeignMap | undefined,
  { prefix, names, wins }: EnvironmentRules,
): ForeignMap {
  if (environment === undefined) return file;
  const found = names.flatMap((name): [string, ForeignEntry][] => {
    const entry = environment.entries.get(`${prefix}${name.toUpperCase()}`);
    return entry === undefined ? [] : [[name, { at: entry.at, value: structured(entry.value) }]];
  });
  const [weaker, stronger] = wins === 'file' ? [found, file.entries] : [file.entries, found];
  return { ...file, entries: new Map([...weaker, ...stronger]) };
}

function structured(value: ForeignValue): ForeignValue {
  if (value.kind !== 'scalar' || typeof value.value !== 'string' || !/^\s*[[{]/.test(value.value))
    return value;
  try {
    return foreignValueOf(JSON.parse(value.value), value.at);
  } catch {
    return value;
  }
}
