import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keptText } from './kept-text.ts';

test('a kept text is the text', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => keptText(text) === text));
  expect(keptText('é€😀')).toBe('é€😀');
});

test('kept texts are right however many there are', () => {
  for (let round = 0; round < 2; round += 1) {
    for (let index = 0; index < 1000; index += 1) expect(keptText(`/path/${index}`)).toBe(`/path/${index}`);
  }
  const long = 'x'.repeat(100_000);
  expect(keptText(long)).toBe(long);
});

test('a kept text does not keep what it was cut from', async () => {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const cut = (index: number): string =>
    keptText(`${'head '.repeat(20_000)}/a/path/like/${index}`.slice(100_000));
  const before = used(collect);
  const paths = Array.from({ length: 200 }, (_, index) => cut(index));
  const grown = used(collect) - before;
  expect(paths[7]).toBe('/a/path/like/7');
  // Whole heads would be 20 MB.
  expect(grown).toBeLessThan(2_000_000);
});

function used(collect: () => void): number {
  collect();
  return process.memoryUsage().heapUsed;
}
