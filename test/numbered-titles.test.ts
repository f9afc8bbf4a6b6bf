import { expect, test } from 'vitest';
import { numbersIn, titlesIn } from './numbered-titles.ts';

const groups = new Set(['CFG', 'MAC', 'FIFO', 'SRV', 'PR']);

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
  const found = titlesIn(source).flatMap((title) => numbersIn(title, (group) => groups.has(group)));
  expect(found).toEqual(['CFG-2', 'MAC-3', 'MAC-4', 'FIFO-88', 'SRV-1', 'PR-2']);
});
