import { describe, expect, test } from 'vitest';
import { Habits } from './habits.ts';

const loadMs = 8000;
/** A sixteenth of it. */
const graceMs = 500;
const one = { requests: 1, models: 1 };

/** After rounds of work and a pause each; it rests since 0. */
function after(pausesMs: readonly number[], workMs = 1000): Habits {
  const habits = new Habits();
  habits.loadMs = loadMs;
  let atMs = -1e6;
  for (const pauseMs of [...pausesMs, 0]) {
    habits.began(atMs);
    habits.rested(atMs + workMs);
    atMs += workMs + pauseMs;
  }
  return habits;
}

describe('a process with habits', () => {
  test('is kept for the pause that it usually makes, and no longer', () => {
    const habits = after([1000, 1100, 1200, 900, 1000, 1050]);
    expect(habits.keptForMs(0, one)).toBe(1200 + graceMs);
    expect(habits.keptForMs(1200 + graceMs, one)).toBe(0);
  });

  test('may go when one request is not worth the wait of so many', () => {
    const habits = after([1000, 1000, 1000, 1000, 1000]);
    expect(habits.keptForMs(0, { requests: 4, models: 1 })).toBeGreaterThan(0);
    expect(habits.keptForMs(0, { requests: 5, models: 1 })).toBe(0);
  });

  test('is worth more when several models would be loaded before it again', () => {
    const habits = after([1000, 1000, 1000, 1000, 1000]);
    expect(habits.keptForMs(0, { requests: 6, models: 2 })).toBeGreaterThan(0);
  });

  test('may go when its pauses are longer than loads', () => {
    expect(after([60_000, 50_000, 90_000, 70_000]).keptForMs(0, one)).toBe(0);
  });

  test.each([
    ['two of eight', [1000, 30_000, 12_000, 25_000, 2000, 18_000, 45_000, 9000]],
    ['four of eight, none very', [3000, 30_000, 3500, 25_000, 2000, 18_000, 45_000, 4000]],
  ])('may go when some of its pauses happened to be short: %s', (_name, pausesMs) => {
    expect(after(pausesMs).keptForMs(0, one)).toBe(0);
  });

  test('is kept for its short pauses alone when it makes both kinds', () => {
    const habits = after([1000, 90_000, 1000, 1000, 90_000, 1000, 1000]);
    expect(habits.keptForMs(0, one)).toBe(1000 + graceMs);
    expect(habits.keptForMs(1000 + graceMs, one)).toBe(0);
  });

  test('may go when its requests take longer than a load', () => {
    expect(after([1000, 1000, 1000, 1000], 30_000).keptForMs(0, one)).toBe(0);
  });

  test('may go while nobody knows how long its loads take, or what it does', () => {
    const habits = after([1000, 1000, 1000, 1000]);
    habits.loadMs = undefined;
    expect(habits.keptForMs(0, one)).toBe(0);
    expect(after([1000, 1000, 1000]).keptForMs(0, one)).toBe(0);
  });

  test('forgets what it was like long ago', () => {
    const habits = after([
      ...Array.from({ length: 20 }, () => 1000),
      ...Array.from({ length: 16 }, () => 60_000),
    ]);
    expect(habits.keptForMs(0, one)).toBe(0);
  });

  test('has wanted back what was not loaded any more, and once', () => {
    const habits = new Habits();
    habits.loadMs = loadMs;
    for (let round = 0; round < 4; round += 1) {
      habits.began(round * 10_000);
      habits.rested(round * 10_000 + 500);
      habits.wanted(round * 10_000 + 700);
      habits.wanted(round * 10_000 + 9000);
    }
    habits.began(40_000);
    habits.rested(40_500);
    expect(habits.keptForMs(0, one)).toBe(200 + graceMs);
  });
});
