import { describe, expect, test } from 'vitest';
import { BodyMemory } from './body-memory.ts';

const megabyte = 1024 * 1024;

describe('BodyMemory', () => {
  test('gives the same memory again, for any length of the same size', () => {
    const memory = new BodyMemory();
    const first = memory.take(600_000);
    expect(first).toHaveLength(600_000);
    memory.give(first.subarray(0, 10));
    const second = memory.take(megabyte);
    expect([second.length, second.buffer === first.buffer]).toEqual([megabyte, true]);
  });

  test('gives no memory to two at a time', () => {
    const memory = new BodyMemory();
    const first = memory.take(100_000);
    memory.give(first);
    expect(memory.take(100_000).buffer).toBe(first.buffer);
    expect(memory.take(100_000).buffer).not.toBe(first.buffer);
  });

  test('keeps no small pieces', () => {
    const memory = new BodyMemory();
    const first = memory.take(1000);
    memory.give(first);
    expect(memory.take(1000).buffer).not.toBe(first.buffer);
  });

  test('keeps no more than 32 MB', () => {
    const memory = new BodyMemory();
    const taken = Array.from({ length: 5 }, () => memory.take(8 * megabyte));
    for (const piece of taken) memory.give(piece);
    const again = new Set(Array.from({ length: 5 }, () => memory.take(8 * megabyte).buffer));
    expect(taken.filter(({ buffer }) => again.has(buffer))).toHaveLength(4);
  });
});
