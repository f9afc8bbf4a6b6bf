import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TurnoverMap } from './turnover-map.ts';

test('a turnover map behaves like a Map, in the order of arrival', () => {
  const step = fc.tuple(fc.constantFrom('set', 'delete', 'get'), fc.integer({ min: 0, max: 60 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const model = new Map<string, number>();
      const map = new TurnoverMap<number>();
      for (const [index, [what, number]] of steps.entries()) {
        const key = `request-${number}`;
        if (what === 'set') {
          model.set(key, index);
          map.set(key, index);
        } else if (what === 'delete') expect(map.delete(key)).toBe(model.delete(key));
        else expect(map.get(key)).toBe(model.get(key));
        expect(map.has(key)).toBe(model.has(key));
        expect(map.size).toBe(model.size);
      }
      expect(map.values()).toEqual([...model.values()]);
    }),
    { numRuns: 200 },
  );
});

test('a turnover map finds everything after it has grown and shrunk', () => {
  const map = new TurnoverMap<number>();
  for (let index = 0; index < 5000; index += 1) map.set(`id-${index}`, index);
  for (let index = 0; index < 4990; index += 1) expect(map.delete(`id-${index}`)).toBe(true);
  expect(map.values()).toEqual([4990, 4991, 4992, 4993, 4994, 4995, 4996, 4997, 4998, 4999]);
  for (let index = 4990; index < 5000; index += 1) expect(map.get(`id-${index}`)).toBe(index);
  expect(map.get('id-0')).toBeUndefined();
});

test('the values of a turnover map are a copy, so that entries may leave while they are walked', () => {
  const map = new TurnoverMap<string>();
  for (const key of ['a', 'b', 'c']) map.set(key, key);
  for (const key of map.values()) map.delete(key);
  expect(map.size).toBe(0);
});
