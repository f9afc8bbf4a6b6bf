import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAlarm, Deadlines, type Alarm } from './deadlines.ts';

const owners = ['a', 'b', 'c', 'd', 'e', 'f'];

test('deadlines give those that are due in the order of their times, in whatever order they were set', () => {
  const step = fc.record({
    owner: fc.constantFrom(...owners),
    dueMs: fc.oneof(fc.nat(20), fc.constant(Infinity)),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(25), (steps, nowMs) => {
      const deadlines = new Deadlines<string>();
      const alarms = new Map(owners.map((owner) => [owner, createAlarm(owner)]));
      for (const { owner, dueMs } of steps) deadlines.set(alarms.get(owner) as Alarm<string>, dueMs);
      const times = new Map([...alarms].map(([owner, { dueMs }]) => [owner, dueMs]));
      const isSet = [...times.values()].filter((dueMs) => dueMs < Infinity);
      expect(deadlines.size).toBe(isSet.length);
      expect(deadlines.nextMs).toBe(Math.min(Infinity, ...isSet));
      const taken: number[] = [];
      for (let owner = deadlines.takeDue(nowMs); owner !== undefined; owner = deadlines.takeDue(nowMs)) {
        taken.push(times.get(owner) ?? Number.NaN);
      }
      expect(taken).toEqual(isSet.filter((dueMs) => dueMs <= nowMs).toSorted((one, other) => one - other));
      expect(deadlines.size).toBe(isSet.length - taken.length);
    }),
    { numRuns: 500 },
  );
});

test('deadlines give those that are due at one time in the order in which they were set', () => {
  const deadlines = new Deadlines<string>();
  for (const owner of owners) deadlines.set(createAlarm(owner), 5);
  expect(owners.map(() => deadlines.takeDue(5))).toEqual(owners);
  expect(deadlines.takeDue(5)).toBeUndefined();
});
