import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Backend } from '../engines/backend.ts';
import { view } from '../../test/scheduler/rig.ts';
import { Rediscovery } from './rediscovery.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Backends that answer when they are told to, under a clock that is moved by hand. */
function createFleet(...backends: Pick<Backend, 'id' | 'view' | 'isPeer'>[]) {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const rediscovery = new Rediscovery({
    clock: { nowMs: () => Date.now(), epochMs: () => Date.now() },
    registry: {
      list: () => backends as unknown as readonly Backend[],
      probed: (id) => {
        asked.push(id);
        return new Promise((resolve) => answers.push(resolve));
      },
    },
  });
  const answer = (): void => {
    for (const resolve of answers.splice(0)) resolve();
  };
  return { rediscovery, asked, answer };
}

const backend = (id: string, fields: Parameters<typeof view>[1] = {}) => ({ id, view: view(id, fields) });
/** Resolves what is due, and lets what follows happen. */
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

test('Rediscovery asks every backend once for all who come together', async () => {
  const { rediscovery, asked, answer } = createFleet(backend('a'), backend('b'));
  const looks = Array.from({ length: 100 }, (_, count) => rediscovery.tryLookFor(`m${count}`));
  await pass(0);
  expect(asked).toEqual(['a', 'b']);
  answer();
  for (const look of looks) await look;
  expect(asked).toEqual(['a', 'b']);
});

test('Rediscovery asks again for who comes while it asks, but not before the gap is over', async () => {
  const { rediscovery, asked, answer } = createFleet(backend('a'));
  const first = rediscovery.tryLookFor('m');
  await pass(0);
  const second = rediscovery.tryLookFor('n');
  const third = rediscovery.tryLookFor('o');
  answer();
  await first;
  await pass(499);
  expect(asked).toEqual(['a']);
  await pass(1);
  expect(asked).toEqual(['a', 'a']);
  answer();
  await second;
  await third;
});

test('Rediscovery refuses a name at once that was looked for a moment ago', async () => {
  const { rediscovery, answer } = createFleet(backend('a'));
  const look = rediscovery.tryLookFor('m');
  await pass(0);
  answer();
  await look;
  await pass(1999);
  expect(rediscovery.tryLookFor('m')).toBeUndefined();
  await pass(1);
  expect(rediscovery.tryLookFor('m')).toBeInstanceOf(Promise);
});

test('Rediscovery waits two seconds at most for a backend that does not answer', async () => {
  const { rediscovery } = createFleet(backend('a'));
  const look = rediscovery.tryLookFor('m');
  const ended = vi.fn();
  void look?.then(ended);
  await pass(1999);
  expect(ended).not.toHaveBeenCalled();
  await pass(1);
  expect(ended).toHaveBeenCalled();
});

test('Rediscovery leaves out the dead, processes of our own and peers', async () => {
  const process = { host: 'local', generation: 0, ttlMs: 0, unloadTimeoutMs: 0, failure: undefined };
  const peer = { ...backend('peer'), isPeer: true as const };
  const gone = backend('gone', { state: 'dead' });
  const { rediscovery, asked } = createFleet(backend('a'), gone, backend('own', { process }), peer);
  void rediscovery.tryLookFor('m');
  await pass(0);
  expect(asked).toEqual(['a']);
});
