/** The table form in which each importer lists the keys of its system: what becomes of each, for the importer, its tests and docs/import.md. */
import type { Draft } from './draft.ts';
import type { ForeignValue, Place } from './foreign-value.ts';

/**
 * carried: it has a place in Llamero. default: Llamero needs no such key, what it does by itself takes its place.
 * dropped: what it asks for is not there.
 */
export type Fate = 'carried' | 'default' | 'dropped';

/** A value that was found under a key of the table. */
export interface Setting {
  /** As it was written. */
  readonly key: string;
  readonly value: ForeignValue;
  /** Of the key. */
  readonly at: Place;
}

export interface ForeignKey<State> {
  /** Path for keys inside of others: `backends[].url`. */
  readonly name: string;
  /** Other names for the same key; the first that is there counts. */
  readonly spellings?: readonly string[];
  readonly source: 'file' | 'environment';
  readonly fate: Fate;
  /** Keys of Llamero, in backticks; for `default` and `dropped` empty. */
  readonly to: string;
  /** What changes on the way; for `default` and `dropped` why it stays behind, and what to use in its place. */
  readonly remark: string;
  /** A file of its `source` that has the key. */
  readonly sample: string;
  /** Its value must not be shown. */
  readonly isSecret?: true;
  /** Only top-level keys that are carried; keys inside of others are read with those. */
  readonly carry?: (setting: Setting, state: State, draft: Draft) => void;
}

export interface ForeignSystem {
  /** As in `llamero import NAME`. */
  readonly name: string;
  /** As it calls itself. */
  readonly title: string;
  /** What its file is, for docs. */
  readonly file: string;
  readonly keys: readonly Omit<ForeignKey<never>, 'carry'>[];
}
