import { describe, expect, test } from 'vitest';
import { Rig } from '../../test/scheduler/rig.ts';

describe('failover', () => {
  test('a retried request goes to another backend and never back', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.backend('b2');
    rig.arrive('a');
    expect(rig.retry('a')).toBe('a→b2');
    expect(rig.grants.at(-1)?.attempt).toBe(2);
    expect(rig.retry('a')).toBe('a✗exhausted');
    expect(rig.snapshot().backends.get('b2')?.inFlight).toBe(0);
  });

  test('a retried request keeps its place in the queue', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.backend('b2');
    for (const id of ['a', 'b', 'c']) rig.arrive(id);
    expect(rig.retry('a')).toBe('c→b1');
    rig.arrive('d');
    expect(rig.queued()).toBe('a d');
    expect(rig.finish('b')).toBe('a→b2');
  });

  test('a retried request keeps its deadline', () => {
    const rig = new Rig({ queueTimeoutMs: 10_000 });
    rig.backend('b1');
    rig.backend('b2');
    rig.arrive('a');
    rig.arrive('b');
    rig.pass(6000);
    rig.retry('a');
    expect(rig.pass(3999)).toBe('');
    expect(rig.pass(1)).toBe('a✗queueTimeout');
  });

  test('backends that are dead are no alternative', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.backend('b2', { state: 'dead' });
    rig.arrive('a');
    expect(rig.retry('a')).toBe('a✗exhausted');
  });

  test('a backend that was not probed yet is an alternative', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.backend('b2', { state: 'unknown', models: [] });
    rig.arrive('a');
    expect(rig.retry('a')).toBe('');
    expect(rig.backend('b2', { models: ['other'] })).toBe('a✗exhausted');
  });

  test('a full queue does not keep a retried request out', () => {
    const rig = new Rig({ queueMax: 0 });
    rig.backend('b1');
    rig.backend('b2');
    rig.arrive('a');
    rig.arrive('b');
    expect(rig.retry('a')).toBe('');
    expect(rig.finish('b')).toBe('a→b2');
  });
});

describe('nobody to serve it', () => {
  test.each([
    ['no backend at all', [], 'a✗noBackend'],
    ['a model that nobody has', [['b1', {}]], 'a✗modelUnknown'],
    ['only backends that do not exist', [['b1', { models: ['n'] }]], 'a✗noBackend'],
    [
      'a prompt that is certainly too long',
      [['b1', { models: ['n'], contextTokens: { n: 4000 } }]],
      'a✗contextTooLong',
    ],
  ] as const)('%s is refused at once', (name, backends, expected) => {
    const rig = new Rig();
    for (const [id, fields] of backends) rig.backend(id, fields);
    const only = name.startsWith('only') ? { only: new Set(['gone']) } : {};
    expect(rig.arrive('a', { model: 'n', tokensEstimated: 9000, ...only })).toBe(expected);
  });

  test('an unknown model waits while a backend is unknown, and is refused when the last is known', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.backend('b2', { state: 'unknown', models: [] });
    rig.backend('b3', { state: 'unknown', models: [] });
    expect(rig.arrive('a', { model: 'n' })).toBe('');
    expect(rig.arrive('b', { model: 'p' })).toBe('');
    expect(rig.backend('b2', { models: ['p'] })).toBe('b→b2');
    expect(rig.backend('b3', { state: 'dead', models: [] })).toBe('a✗modelUnknown');
  });

  test('an unknown model waits no longer than for a dead one', () => {
    const rig = new Rig();
    rig.backend('b1', { state: 'unknown', models: [] });
    rig.arrive('a');
    expect(rig.pass(14_999)).toBe('');
    expect(rig.pass(1)).toBe('a✗noBackend');
  });

  test('the wait for a dead backend counts from its death or the arrival, whichever is later', () => {
    const rig = new Rig({ priorityAgeingMs: 1000 });
    rig.backend('b1');
    rig.arrive('running');
    rig.arrive('a');
    rig.pass(100_000);
    rig.backend('b1', { state: 'dead' });
    rig.pass(5000);
    rig.arrive('b');
    expect(rig.pass(9999)).toBe('');
    expect(rig.pass(1)).toBe('a✗noBackend');
    expect(rig.pass(4999)).toBe('');
    expect(rig.pass(1)).toBe('b✗noBackend');
  });

  test('a short death does not add up', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.arrive('running');
    rig.arrive('a');
    for (let n = 0; n < 5; n += 1) {
      rig.backend('b1', { state: 'dead' });
      rig.pass(10_000);
      rig.backend('b1', { state: 'degraded' });
      expect(rig.pass(1)).toBe('');
    }
    expect(rig.finish('running')).toBe('a→b1');
  });

  test('a fleet that dies is not waited for without a time to wait for it', () => {
    const rig = new Rig({ deadWaitMs: 0 });
    rig.backend('b1');
    rig.arrive('a');
    rig.arrive('b');
    expect(rig.backend('b1', { state: 'dead' })).toBe('b✗noBackend');
  });

  test('a draining backend takes nobody and keeps what it has', () => {
    const rig = new Rig();
    rig.backend('b1', { slotsTotal: 2 });
    rig.arrive('a');
    rig.backend('b1', { slotsTotal: 2, state: 'draining' });
    expect(rig.arrive('b')).toBe('');
    expect(rig.pass(15_000)).toBe('b✗noBackend');
    expect(rig.finish('a')).toBe('');
  });

  test('a backend that leaves takes the hope of those who wait for its model', () => {
    const rig = new Rig();
    rig.backend('b1', { models: ['n'] });
    rig.backend('b2');
    rig.arrive('a', { model: 'n' });
    rig.arrive('b', { model: 'n' });
    expect(rig.remove('b1')).toBe('b✗modelUnknown');
  });

  test('only prompts that are certainly too long are kept from a small context', () => {
    const rig = new Rig();
    rig.backend('small', { slotsTotal: 4, contextTokens: { m: 4096 } });
    rig.backend('large', { contextTokens: { m: 32_768 } });
    expect(rig.arrive('a', { tokensEstimated: 9000 })).toBe('a→large');
    expect(rig.arrive('b', { tokensEstimated: 9000 })).toBe('');
    expect(rig.arrive('c', { tokensEstimated: 8000 })).toBe('c→small');
    expect(rig.backend('small', { slotsTotal: 4, contextTokens: { m: 8192 } })).toBe('b→small');
  });
});
