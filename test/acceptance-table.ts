/**
 * Tables of what another program does, each behaviour with the tests that show it here. A row cannot name a test that is
 * not there, nor be empty.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { titlesIn } from './numbered-titles.ts';

export interface AcceptanceRow {
  /** What the other program does, pins or does wrong. */
  readonly says: string;
  /** `FILE: TITLE` of tests that show it, or for a fault that it is not there. FILE as of the root of the project. */
  readonly tests?: readonly string[];
  /** Why it is other here, or not there at all; needed where there are no tests. */
  readonly otherwise?: string;
}

/** Rows by a name of their group; in a group they are numbered from 1 on. */
export type AcceptanceTable = Readonly<Record<string, readonly AcceptanceRow[]>>;

const root = resolve(import.meta.dirname, '..');

/** Defines the tests of a table. */
export function describeAcceptance(subject: string, table: AcceptanceTable): void {
  const rows = Object.entries(table).flatMap(([group, all]) =>
    all.map((row, index) => ({ number: `${group} ${index + 1}`, ...row })),
  );
  describe(subject, () => {
    test('has a test or a reason for each row', () => {
      const bare = rows.filter(({ tests = [], otherwise = '' }) => tests.length === 0 && otherwise === '');
      expect(bare.map(({ number, says }) => `${number}: ${says}`)).toEqual([]);
    });

    test('names tests that exist', () => {
      const wrong = rows.flatMap(({ number, tests = [] }) =>
        tests.filter((one) => !isThere(one)).map((one) => `${number}: ${one}`),
      );
      expect(wrong).toEqual([]);
    });
  });
}

function isThere(reference: string): boolean {
  const at = reference.indexOf(': ');
  const path = resolve(root, reference.slice(0, at));
  return existsSync(path) && titlesIn(readFileSync(path, 'utf8')).includes(reference.slice(at + 2));
}
