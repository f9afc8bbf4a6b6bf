/** Finds the numbers of behaviours, such as `FIFO-8`, in the titles of all tests of the project. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** Of the groups that are asked for; `FIFO` is the group of `FIFO-8`. Tests that keep account of numbers do not count. */
export function numbersInTitles(isGroup: (group: string) => boolean): ReadonlySet<string> {
  const titles = testFiles().flatMap((file) => titlesIn(readFileSync(file, 'utf8')));
  return new Set(titles.flatMap((title) => numbersIn(title, isGroup)));
}

/** What `test(…)`, `describe(…)` and the second call of `test.each(…)(…)` are given first. */
export function titlesIn(source: string): string[] {
  const calls = /(?:^\s*(?:test|describe)(?:\.\w+)?|^.*\))\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1,/gm;
  return [...source.matchAll(calls)].map(([, , title = '']) => title);
}

export function numbersIn(title: string, isGroup: (group: string) => boolean): string[] {
  return [...title.matchAll(/\b([A-Z]+)-\d+\b/g)]
    .filter(([, group = '']) => isGroup(group))
    .map(([all]) => all);
}

function testFiles(): string[] {
  return ['src', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts') && !/(?:acceptance|numbered-titles)\.test\.ts$/.test(name))
      .map((name) => join(root, folder, name)),
  );
}
