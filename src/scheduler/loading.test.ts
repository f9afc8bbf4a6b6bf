import { describe, expect, test } from 'vitest';
import { crash, groups, oneAtATime, ProcessRig } from '../../test/scheduler/process-rig.ts';
import { view } from '../../test/scheduler/rig.ts';

describe('a process', () => {
  test('FIFO-1 that is ready takes a request at once, without a load', () => {
    const rig = new ProcessRig(oneAtATime).add('a').warm('a');
    rig.news();
    expect(rig.arrive('1', { model: 'a' })).toBe('1→a');
    expect(rig.grants.at(-1)?.decision.loaded).toBeUndefined();
  });

  test('FIFO-2 RTR-7 is not loaded for a model that nobody has', () => {
    const rig = new ProcessRig(oneAtATime).add('a');
    expect(rig.arrive('1', { model: 'b' })).toBe('1✗modelUnknown');
  });

  test('FIFO-3 RTR-3 that is stopped is loaded once for all who ask, and serves them when it is ready', () => {
    const rig = new ProcessRig(oneAtATime).add('a', { slotsTotal: 3 });
    expect(rig.arrive('1', { model: 'a' })).toBe('load a');
    expect(rig.arrive('2', { model: 'a' })).toBe('');
    expect(rig.starting('a')).toBe('');
    expect(rig.arrive('3', { model: 'a' })).toBe('');
    expect(rig.ready('a')).toBe('1→a 2→a 3→a');
  });

  test('is loaded once for a thousand requests at the same time, by several names, with and without slots', () => {
    const names = new Map(['a', 'alias'].map((name) => [name, 'a']));
    const rig = new ProcessRig(oneAtATime).add('a', { models: names });
    for (let index = 0; index < 1000; index += 1) {
      rig.arrive(`${index}`, { model: index % 2 === 0 ? 'a' : 'alias', slotless: index % 3 === 0 });
    }
    expect(rig.log).toEqual(['load a 1']);
  });

  test('is waited for as long as its load takes, longer than for a dead backend', () => {
    const rig = new ProcessRig({ ...oneAtATime, deadWaitMs: 1000, queueTimeoutMs: 600_000 }).add('a');
    rig.arrive('1', { model: 'a' });
    expect(rig.pass(599_999)).toBe('');
    expect(rig.ready('a')).toBe('1→a');
  });

  test('is loaded without a planner beside everything else', () => {
    const rig = new ProcessRig().add('ab').warm('a');
    rig.news();
    expect(rig.arrive('1', { model: 'b' })).toBe('load b');
  });

  test('is not loaded while another backend serves the model, full or not', () => {
    const rig = new ProcessRig(oneAtATime).add('a');
    rig.backend('remote', { models: ['a'] });
    expect(rig.arrive('1', { model: 'a' })).toBe('1→remote');
    expect(rig.arrive('2', { model: 'a' })).toBe('');
    expect(rig.backend('remote', { models: ['a'], state: 'dead' })).toBe('load a');
    expect(rig.ready('a')).toBe('2→a');
  });

  test('is loaded once where the model has two, and the other one when it is full does not start', () => {
    const rig = new ProcessRig().add('ab', { models: ['m'], slotsTotal: 1 });
    expect(rig.arrive('1', { model: 'm' })).toBe('load a');
    expect(rig.arrive('2', { model: 'm' })).toBe('');
    expect(rig.ready('a')).toBe('1→a');
    expect(rig.retry('1')).toBe('2→a load b');
    expect(rig.ready('b')).toBe('1→b');
  });

  test('is not loaded for a request without a model', () => {
    const rig = new ProcessRig({ deadWaitMs: 1000 }).add('a');
    expect(rig.arrive('1', { model: undefined })).toBe('');
    expect(rig.pass(1000)).toBe('1✗noBackend');
  });

  test('is loaded for a request without a slot', () => {
    const rig = new ProcessRig().add('a');
    expect(rig.arrive('1', { model: 'a', slotless: true })).toBe('load a');
    expect(rig.ready('a')).toBe('1→a');
  });

  test('RTR-5 that stops for reasons of its own is loaded again when it has', () => {
    const rig = new ProcessRig().add('a').warm('a');
    rig.stopping('a');
    rig.news();
    expect(rig.arrive('1', { model: 'a' })).toBe('');
    expect(rig.stopped('a')).toBe('load a');
    expect(rig.ready('a')).toBe('1→a');
  });

  test('takes nobody while it stops, even though its view is late', () => {
    const rig = new ProcessRig(oneAtATime).add('ab').warm('a');
    rig.news();
    expect(rig.arrive('1', { model: 'b' })).toBe('unload a evicted');
    expect(rig.ready('a')).toBe('');
    expect(rig.arrive('2', { model: 'a' })).toBe('');
    expect(rig.stopped('a')).toBe('load b');
  });

  test('is still loaded for those who wait when the router drains', () => {
    const rig = new ProcessRig(oneAtATime).add('ab').warm('a');
    rig.arrive('1', { model: 'b' });
    rig.handle({ type: 'drainStarted' });
    expect(rig.stopped('a')).toBe('load b');
    expect(rig.ready('b')).toBe('1→b');
  });

  test('tells with each grant what was stopped for it and how long its load took', () => {
    const rig = new ProcessRig(oneAtATime).add('ab').warm('a');
    rig.arrive('1', { model: 'b' });
    rig.pass(500);
    rig.stopped('a');
    rig.pass(1000);
    rig.arrive('2', { model: 'b' });
    rig.pass(250);
    rig.ready('b');
    rig.finish('1');
    rig.arrive('3', { model: 'b' });
    const [first, second, third] = rig.grants.slice(-3).map(({ decision }) => decision.loaded);
    expect(first).toEqual({ evicted: ['a'], because: 'b', loadMs: 1750 });
    expect(second).toEqual({ evicted: ['a'], because: 'b', loadMs: 250 });
    expect(third).toBeUndefined();
  });

  test('tells nothing of a load to who was served elsewhere', () => {
    const rig = new ProcessRig().add('a', { models: ['m'], slotsTotal: 1 });
    rig.arrive('1', { model: 'm' });
    rig.arrive('2', { model: 'm' });
    rig.ready('a');
    expect(rig.backend('remote')).toBe('2→remote');
    expect(rig.grants.map(({ decision }) => decision.loaded?.loadMs)).toEqual([0, undefined]);
  });

  test('that was loaded before the scheduler knew it gets a higher number', () => {
    const rig = new ProcessRig().add('a');
    rig.stopped('a');
    rig.handle({
      type: 'backendChanged',
      view: view('a', {
        models: ['a'],
        state: 'stopped',
        process: { host: 'host', generation: 7, ttlMs: 0, unloadTimeoutMs: 0, failure: undefined },
      }),
    });
    rig.arrive('1', { model: 'a' });
    expect(rig.log.at(-1)).toBe('load a 8');
  });
});

describe('who waits for a load', () => {
  test('RTR-6 FIFO-14 may leave: the others are served', () => {
    const rig = new ProcessRig().add('a');
    rig.arrive('1', { model: 'a' });
    rig.arrive('2', { model: 'a' });
    expect(rig.cancel('1')).toBe('');
    expect(rig.ready('a')).toBe('2→a');
  });

  test('FIFO-14 may leave before anything is stopped for it: nothing is', () => {
    const rig = new ProcessRig(oneAtATime).add('ab').warm('a');
    rig.arrive('busy', { model: 'a' });
    rig.news();
    expect(rig.arrive('1', { model: 'b' })).toBe('');
    expect(rig.cancel('1')).toBe('');
    expect(rig.finish('busy')).toBe('');
  });

  test('FIFO-14 all may leave: a load that began is completed', () => {
    const rig = new ProcessRig(oneAtATime).add('ab').warm('a');
    rig.arrive('1', { model: 'b' });
    expect(rig.cancel('1')).toBe('');
    expect(rig.stopped('a')).toBe('load b');
    expect(rig.ready('b')).toBe('');
    expect(rig.arrive('2', { model: 'b' })).toBe('2→b');
  });

  test('FIFO-10 FIFO-14 and has left is not counted where it was to go', () => {
    const rig = new ProcessRig().add('a', { slotsTotal: 1 });
    rig.arrive('1', { model: 'a' });
    rig.cancel('1');
    rig.ready('a');
    expect(rig.snapshot().backends.get('a')?.inFlight).toBe(0);
    expect(rig.arrive('2', { model: 'a' })).toBe('2→a');
    expect(rig.cancel('2')).toBe('');
    expect(rig.snapshot().backends.get('a')?.inFlight).toBe(0);
  });

  test('FIFO-11 is served or told within bounded time when the router drains and nothing comes of it', () => {
    const rig = new ProcessRig({ ...groups(), queueTimeoutMs: 5000 }).add('ab').warm('a');
    rig.arrive('busy', { model: 'a' });
    for (const id of ['1', '2', '3', '4', '5']) rig.arrive(id, { model: 'b' });
    rig.handle({ type: 'drainStarted' });
    expect(rig.pass(5000).split(' ')).toHaveLength(5);
  });
});

describe('a load that fails', () => {
  test('FIFO-4 fails all who wait for it, with its reason and when to come again', () => {
    const rig = new ProcessRig().add('a');
    rig.arrive('1', { model: 'a' });
    rig.arrive('2', { model: 'a' });
    expect(rig.stopped('a', { ...crash, retryAtMs: 2500 })).toBe('1✗loadFailed 2✗loadFailed');
    expect(rig.rejections.at(-1)).toMatchObject({ loadFailure: { code: crash.code }, retryAfterMs: 2500 });
  });

  test('fails those too when it may be tried again at once, rather than for ever', () => {
    const rig = new ProcessRig().add('a');
    rig.arrive('1', { model: 'a' });
    expect(rig.stopped('a', crash)).toBe('1✗loadFailed');
    expect(rig.rejections.at(-1)?.retryAfterMs).toBeUndefined();
    expect(rig.arrive('2', { model: 'a' })).toBe('load a');
  });

  test('fails them although its process takes a while to end, and is not tried again for them', () => {
    const rig = new ProcessRig().add('a');
    rig.arrive('1', { model: 'a' });
    rig.starting('a');
    expect(rig.stopping('a')).toBe('');
    expect(rig.stopped('a', crash)).toBe('1✗loadFailed');
    expect(rig.stopped('a', crash)).toBe('');
    expect(rig.arrive('2', { model: 'a' })).toBe('load a');
  });

  test('fails who comes before it may be tried again; after that it is', () => {
    const rig = new ProcessRig().add('a');
    rig.arrive('1', { model: 'a' });
    rig.stopped('a', { ...crash, retryAtMs: 1000 });
    rig.pass(400);
    expect(rig.arrive('2', { model: 'a' })).toBe('2✗loadFailed');
    expect(rig.rejections.at(-1)?.retryAfterMs).toBe(600);
    rig.pass(600);
    expect(rig.arrive('3', { model: 'a' })).toBe('load a');
    expect(rig.ready('a')).toBe('3→a');
  });

  test('spares those who can go elsewhere', () => {
    const rig = new ProcessRig().add('ab', { models: ['m'] });
    rig.arrive('1', { model: 'm' });
    rig.arrive('here', { model: 'm', only: new Set(['a']) });
    expect(rig.stopped('a', { ...crash, retryAtMs: 1000 })).toBe('here✗loadFailed load b');
    expect(rig.ready('b')).toBe('1→b');
  });

  test('of the process that may be tried again first is the one that is told', () => {
    const rig = new ProcessRig().add('ab', { models: ['m'] });
    for (const [id, retryAtMs] of [
      ['a', 9000],
      ['b', 4000],
    ] as const) {
      rig.arrive(`for-${id}`, { model: 'm', only: new Set([id]) });
      rig.stopped(id, { ...crash, retryAtMs });
    }
    expect(rig.arrive('1', { model: 'm' })).toBe('1✗loadFailed');
    expect(rig.rejections.at(-1)?.retryAfterMs).toBe(4000);
  });

  test('before it has begun fails those who wait for room', () => {
    const rig = new ProcessRig(oneAtATime).add('ab').warm('a');
    rig.arrive('busy', { model: 'a' });
    rig.arrive('1', { model: 'b' });
    rig.news();
    expect(rig.stopped('b', { ...crash, retryAtMs: 1000 })).toBe('1✗loadFailed');
  });

  test('is no news when it is of an older load', () => {
    const rig = new ProcessRig().add('a');
    rig.arrive('1', { model: 'a' });
    rig.stopped('a', crash);
    rig.arrive('2', { model: 'a' });
    expect(rig.starting('a', { generation: 1 })).toBe('');
    expect(rig.ready('a', { generation: 1 })).toBe('');
    expect(rig.arrive('3', { model: 'a' })).toBe('');
    expect(rig.ready('a')).toBe('2→a 3→a');
  });

  test('does not hold up others: the next one takes the place', () => {
    const rig = new ProcessRig(oneAtATime).add('abc').warm('a');
    rig.news();
    rig.arrive('1', { model: 'b' });
    rig.arrive('2', { model: 'c' });
    expect(rig.stopped('a')).toBe('load b');
    expect(rig.stopped('b', { ...crash, retryAtMs: 1000 })).toBe('1✗loadFailed load c');
  });
});

describe('a process that ends by itself', () => {
  test('is loaded again for those who wait', () => {
    const rig = new ProcessRig().add('a', { slotsTotal: 1 });
    rig.arrive('1', { model: 'a' });
    rig.ready('a');
    rig.arrive('2', { model: 'a' });
    expect(rig.stopping('a')).toBe('');
    expect(rig.stopped('a', crash)).toBe('load a');
    expect(rig.ready('a')).toBe('');
    expect(rig.finish('1')).toBe('2→a');
  });

  test('fails those who wait while it may not be tried again', () => {
    const rig = new ProcessRig().add('a', { slotsTotal: 1 });
    rig.arrive('1', { model: 'a' });
    rig.ready('a');
    rig.arrive('2', { model: 'a' });
    expect(rig.stopped('a', { ...crash, retryAtMs: 5000 })).toBe('2✗loadFailed');
  });

  test('leaves no lingering request behind', () => {
    const rig = new ProcessRig().add('a', { slotsTotal: 1 });
    rig.arrive('1', { model: 'a' });
    rig.ready('a');
    rig.finish('1', { lingers: true });
    rig.stopped('a', crash);
    rig.arrive('2', { model: 'a' });
    expect(rig.ready('a')).toBe('2→a');
  });

  test('that leaves the configuration takes its swap along', () => {
    const rig = new ProcessRig(oneAtATime).add('abc').warm('a');
    rig.news();
    rig.arrive('1', { model: 'b' });
    rig.arrive('2', { model: 'c' });
    expect(rig.remove('b')).toBe('1✗modelUnknown');
    expect(rig.snapshot().swaps).toEqual([
      expect.objectContaining({ target: 'c', evicted: [], waitsFor: ['a'] }),
    ]);
    expect(rig.stopped('a')).toBe('load c');
    rig.add('b');
    rig.ready('c');
    rig.finish('2');
    rig.arrive('3', { model: 'b' });
    expect(rig.stopped('c')).toBe('load b');
  });
});

describe('the limit of requests per model', () => {
  const limited = { admissionLimits: new Map([['a', 2]]) };

  test('FIFO-15 counts who is served and who waits, and lets in again after an end', () => {
    const rig = new ProcessRig(limited).add('a', { slotsTotal: 1 });
    rig.arrive('1', { model: 'a' });
    rig.arrive('2', { model: 'a' });
    expect(rig.arrive('3', { model: 'a' })).toBe('3✗modelBusy');
    rig.ready('a');
    expect(rig.arrive('4', { model: 'a' })).toBe('4✗modelBusy');
    rig.finish('1');
    expect(rig.arrive('5', { model: 'a' })).toBe('');
    expect(rig.arrive('6', { model: 'a', slotless: true })).toBe('6✗modelBusy');
  });

  test('FIFO-15 FIFO-16 a cancelled request frees its place, waiting or granted, and only once', () => {
    const rig = new ProcessRig(limited).add('a', { slotsTotal: 1 });
    rig.arrive('1', { model: 'a' });
    rig.arrive('2', { model: 'a' });
    rig.cancel('2');
    rig.cancel('2');
    expect(rig.arrive('3', { model: 'a' })).toBe('');
    rig.ready('a');
    rig.finish('1');
    rig.finish('1');
    rig.finish('never');
    expect(rig.arrive('4', { model: 'a' })).toBe('');
    expect(rig.arrive('5', { model: 'a' })).toBe('5✗modelBusy');
  });

  test('FIFO-15 of ten refuses the eleventh', () => {
    const rig = new ProcessRig({ admissionLimits: new Map([['a', 10]]) }).add('a');
    for (let index = 0; index < 10; index += 1) rig.arrive(`${index}`, { model: 'a' });
    expect(rig.arrive('11', { model: 'a' })).toBe('11✗modelBusy');
  });

  test('says when to come again, by how often requests of that model end', () => {
    const rig = new ProcessRig({ admissionLimits: new Map([['a', 1]]) }).add('ab');
    rig.warm('ab');
    for (const id of ['1', '2', '3', '4', '5', '6']) {
      rig.arrive(id, { model: 'a' });
      rig.arrive(`other${id}`, { model: 'b' });
      rig.finish(`other${id}`);
      rig.pass(2000);
      rig.finish(id);
    }
    rig.arrive('busy', { model: 'a' });
    expect(rig.arrive('7', { model: 'a' })).toBe('7✗modelBusy');
    expect(rig.rejections.at(-1)?.retryAfterMs).toBeCloseTo(2000, -3);
  });

  test('is no matter of other models, nor of names that nobody has', () => {
    const rig = new ProcessRig({ admissionLimits: new Map([['nobody', 1]]) }).add('b');
    expect(rig.arrive('1', { model: 'nobody' })).toBe('1✗modelUnknown');
    rig.arrive('2', { model: 'b' });
    rig.arrive('3', { model: 'b' });
    expect(rig.ready('b')).toBe('2→b 3→b');
  });

  test('holds for a request only when it arrives, not when it is tried again', () => {
    const rig = new ProcessRig({ admissionLimits: new Map([['m', 1]]) });
    rig.backend('b1');
    rig.backend('b2');
    rig.arrive('1');
    expect(rig.retry('1')).toBe('1→b2');
    expect(rig.snapshot().footprint.requests).toBe(1);
  });
});
