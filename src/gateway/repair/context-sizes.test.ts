import { expect, test } from 'vitest';
import type { Backend } from '../../engines/backend.ts';
import { ContextSizes } from './context-sizes.ts';

interface FakeBackend {
  epoch: number;
  told: number | undefined;
}

/** As much of a backend as is looked at; its view follows the fake. */
function backendOf(fake: FakeBackend): Backend {
  return {
    get view() {
      const contextTokens = new Map(fake.told === undefined ? [] : [['m', fake.told]]);
      return { epoch: fake.epoch, contextTokens };
    },
  } as unknown as Backend;
}

test('what an engine tells of itself is known without any error', () => {
  const backend = backendOf({ epoch: 0, told: 4096 });
  expect(new ContextSizes().get(backend, 'm')).toEqual({ tokens: 4096, perGuess: undefined });
  expect(new ContextSizes().get(backend, 'other')).toBeUndefined();
});

test('what its errors say counts more, until the engine is another one', () => {
  const fake: FakeBackend = { epoch: 0, told: 4096 };
  const backend = backendOf(fake);
  const sizes = new ContextSizes();
  sizes.learn(backend, 'm', { tokens: 2048, perGuess: 1.2 });
  expect(sizes.get(backend, 'm')).toMatchObject({ tokens: 2048, perGuess: 1.2 });
  fake.epoch = 1;
  expect(sizes.get(backend, 'm')).toEqual({ tokens: 4096, perGuess: undefined });
});

test('another context than when it was learnt makes it void', () => {
  const fake: FakeBackend = { epoch: 0, told: undefined };
  const backend = backendOf(fake);
  const sizes = new ContextSizes();
  sizes.learn(backend, 'm', { tokens: 2048, perGuess: 1.2 });
  fake.told = 8192;
  expect(sizes.get(backend, 'm')).toEqual({ tokens: 8192, perGuess: undefined });
});

test('of very many models the oldest are forgotten', () => {
  const backend = backendOf({ epoch: 0, told: undefined });
  const sizes = new ContextSizes();
  for (let index = 0; index < 1000; index += 1) sizes.learn(backend, `m${index}`, { tokens: 1, perGuess: 1 });
  expect(sizes.get(backend, 'm0')).toBeUndefined();
  expect(sizes.get(backend, 'm999')).toBeDefined();
});
