import { expect, test } from 'vitest';
import { MessageQueue } from './message-queue.ts';

test('a queue gives what it got, in order, and waits when it is empty', async () => {
  const queue = new MessageQueue(10);
  queue.push('a');
  queue.push('b');
  expect(await queue.take()).toBe('ab');
  const later = queue.take();
  queue.push('c');
  expect(await later).toBe('c');
});

test('a full queue refuses, and has room again when it was read', async () => {
  const queue = new MessageQueue(2);
  expect([queue.push('a'), queue.push('b'), queue.push('c')]).toEqual([true, true, false]);
  let hasRoom = false;
  const waiting = queue.room().then(() => {
    hasRoom = true;
  });
  await Promise.resolve();
  expect(hasRoom).toBe(false);
  expect(await queue.take()).toBe('ab');
  await waiting;
  expect(queue.push('d')).toBe(true);
});

test('a closed queue ends its reader and its writers', async () => {
  const queue = new MessageQueue(1);
  const reading = queue.take();
  queue.close();
  expect(await reading).toBeUndefined();
  expect(queue.push('a')).toBe(false);
  await queue.room();
});
