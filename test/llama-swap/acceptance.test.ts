/**
 * Every behaviour that llama-swap's own tests pin has a test here that names its number, such as `FIFO-8`. This table
 * knows the numbers, and which behaviours Llamero has not, on purpose or not yet, and why.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

/** Group of behaviours → how many are numbered, from 1 on. */
const groups = {
  CFG: 20,
  MAC: 18,
  FIL: 6,
  MRG: 7,
  RTG: 3,
  MTX: 7,
  SEL: 2,
  PRF: 1,
  PEER: 3,
  PRC: 14,
  RTR: 9,
  GRP: 1,
  MXR: 1,
  FIFO: 16,
  LOAD: 3,
  PR: 5,
  SRV: 17,
  UTL: 9,
  MET: 7,
  INF: 2,
  ACT: 2,
  STO: 1,
  EVT: 1,
  API: 1,
  LOG: 2,
  WAT: 1,
  PERF: 1,
  HW: 1,
  LIB: 1,
  VLLM: 1,
  UI: 10,
} as const;

const page = 'Llamero has a page of its own; that of llama-swap is not served';

/** Behaviours without a test, each with the reason. */
const without: Readonly<Record<string, string>> = {
  'SRV-17': page,
  'PERF-1':
    'readings of the host and its GPUs are not taken; the `performance` section is read and checked (CFG-15)',
  'HW-1': 'the hardware of the host is not described',
  'VLLM-1':
    'there is no wrapper program for vLLM: its command is a model like any other, with cmd and cmdStop',
  ...Object.fromEntries(Array.from({ length: groups.UI }, (_none, index) => [`UI-${index + 1}`, page])),
};

const root = resolve(import.meta.dirname, '..', '..');
const numbers = Object.entries(groups).flatMap(([group, count]) =>
  Array.from({ length: count }, (_none, index) => `${group}-${index + 1}`),
);
const tested = new Set(
  testFiles().flatMap((file) => titlesIn(readFileSync(file, 'utf8')).flatMap(numbersIn)),
);

describe('of the behaviours of llama-swap', () => {
  test('each is named by the title of a test, or by a reason why not', () => {
    expect(numbers.filter((number) => !tested.has(number) && without[number] === undefined)).toEqual([]);
  });

  test('none that is tested has a reason why not, and none that does not exist is named', () => {
    expect(Object.keys(without).filter((number) => tested.has(number))).toEqual([]);
    expect(Object.keys(without).filter((number) => !numbers.includes(number))).toEqual([]);
    expect([...tested].filter((number) => !numbers.includes(number))).toEqual([]);
  });
});

test('titles are found where tests have them, and nowhere else', () => {
  const source = `
    // test('CFG-1')
    test('CFG-2 one', () => {});
    describe("it's MAC-3 and MAC-4", () => { expect('CFG-5').toBe('CFG-6'); });
    test.each([['CFG-7']])('XFIFO-8, FIFO-88 %s', () => {});
    test.skipIf(false)(\`SRV-1: \${x}\`, () => {});
    describe.each(
      rows,
    )('PR-2', () => {});
  `;
  expect(titlesIn(source).flatMap(numbersIn)).toEqual([
    'CFG-2',
    'MAC-3',
    'MAC-4',
    'FIFO-88',
    'SRV-1',
    'PR-2',
  ]);
});

function testFiles(): string[] {
  return ['src', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts') && !name.endsWith('acceptance.test.ts'))
      .map((name) => join(root, folder, name)),
  );
}

/** What `test(…)`, `describe(…)` and the second call of `test.each(…)(…)` are given first. */
function titlesIn(source: string): string[] {
  const calls = /(?:^\s*(?:test|describe)(?:\.\w+)?|^.*\))\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1,/gm;
  return [...source.matchAll(calls)].map(([, , title = '']) => title);
}

function numbersIn(title: string): string[] {
  return [...title.matchAll(/\b([A-Z]+)-\d+\b/g)]
    .filter(([, group = '']) => group in groups)
    .map(([all]) => all);
}
