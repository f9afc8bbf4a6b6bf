import { describe, expect, test } from 'vitest';
import { crash, group, groups, matrix, oneAtATime, ProcessRig } from '../../test/scheduler/process-rig.ts';

describe('a swap', () => {
  test('FIFO-5 waits for the load of what it will evict, and for those it was loaded for', () => {
    const rig = new ProcessRig(oneAtATime).add('ab');
    expect(rig.arrive('1', { model: 'a' })).toBe('load a');
    expect(rig.arrive('2', { model: 'b' })).toBe('');
    expect(rig.ready('a')).toBe('1→a');
    expect(rig.finish('1')).toBe('unload a evicted');
    expect(rig.stopping('a')).toBe('');
    expect(rig.stopped('a')).toBe('load b');
    expect(rig.ready('b')).toBe('2→b');
  });

  test('FIFO-6 that is disjoint from others starts beside them', () => {
    const rig = new ProcessRig(groups(group('ab', { exclusive: false }), group('cd', { exclusive: false })))
      .add('abcd')
      .warm('ac');
    rig.news();
    expect(rig.arrive('1', { model: 'b' })).toBe('unload a evicted');
    expect(rig.arrive('2', { model: 'd' })).toBe('unload c evicted');
    expect(rig.stopped('c')).toBe('load d');
    expect(rig.stopped('a')).toBe('load b');
    expect(rig.ready('b')).toBe('1→b');
    expect(rig.ready('d')).toBe('2→d');
  });

  test('FIFO-6 with a victim of another one waits for that', () => {
    const rig = new ProcessRig(oneAtATime).add('abc').warm('a');
    rig.news();
    expect(rig.arrive('1', { model: 'b' })).toBe('unload a evicted');
    expect(rig.arrive('2', { model: 'c' })).toBe('');
    expect(rig.stopped('a')).toBe('load b');
    expect(rig.ready('b')).toBe('1→b');
  });

  test('FIFO-7 at its end may let several others begin', () => {
    const rig = new ProcessRig(groups(group('a'), group('bcd', { swap: false }))).add('abcd').warm('a');
    rig.arrive('busy', { model: 'a' });
    for (const id of ['b', 'c', 'd']) rig.arrive(id, { model: id });
    rig.news();
    expect(rig.finish('busy')).toBe('unload a evicted');
    expect(rig.stopped('a')).toBe('load b load c load d');
  });

  test('FIFO-8 of three models in turn is one each: ABCABC becomes AABBCC', () => {
    const rig = new ProcessRig(oneAtATime).add('abc', { slotsTotal: 1 });
    for (const [index, model] of 'abcabc'.split('').entries()) rig.arrive(`${model}${index}`, { model });
    const stoppedBefore = ['', 'a', 'b'];
    for (const [index, model] of 'abc'.split('').entries()) {
      if (index > 0) rig.stopped(stoppedBefore[index] ?? '');
      rig.ready(model);
      rig.finish(`${model}${index}`);
      rig.finish(`${model}${index + 3}`);
    }
    expect(rig.log.join(' ')).toBe(
      'load a 1 a0→a a3→a unload a evicted load b 2 b1→b b4→b unload b evicted load c 3 c2→c c5→c',
    );
  });

  test('FIFO-9 waits until both requests of its victim are over', () => {
    const rig = new ProcessRig(oneAtATime).add('ab').warm('a');
    rig.arrive('1', { model: 'a' });
    rig.arrive('2', { model: 'a' });
    rig.arrive('3', { model: 'b' });
    rig.news();
    expect(rig.finish('1')).toBe('');
    expect(rig.finish('2')).toBe('unload a evicted');
  });

  test('waits for lingering requests and for those without a slot', () => {
    const rig = new ProcessRig({ ...oneAtATime, lingerMsMax: 3000 }).add('ab').warm('a');
    rig.arrive('1', { model: 'a', slotless: true });
    rig.arrive('2', { model: 'a' });
    rig.arrive('3', { model: 'b' });
    rig.news();
    expect(rig.finish('2', { lingers: true })).toBe('');
    expect(rig.finish('1')).toBe('');
    expect(rig.pass(3000)).toBe('unload a evicted');
  });

  test('stops several at the same time and starts when the last one has stopped', () => {
    const rig = new ProcessRig(groups(group('ab', { swap: false }), group('c'))).add('abc').warm('ab');
    rig.news();
    expect(rig.arrive('1', { model: 'c' })).toBe('unload a evicted unload b evicted');
    expect(rig.stopped('b')).toBe('');
    expect(rig.arrive('2', { model: 'b' })).toBe('');
    expect(rig.stopped('a')).toBe('load c');
  });

  test('waits for what stops for other reasons and does not fit beside it', () => {
    const rig = new ProcessRig(oneAtATime).add('ab').warm('a');
    rig.stopping('a');
    rig.news();
    expect(rig.arrive('1', { model: 'b' })).toBe('');
    expect(rig.stopped('a')).toBe('load b');
  });

  test('does not wait for what stops and would fit beside it', () => {
    const rig = new ProcessRig(groups(group('ab', { swap: false }))).add('ab').warm('a');
    rig.stopping('a');
    rig.news();
    expect(rig.arrive('1', { model: 'b' })).toBe('load b');
  });

  test('does not wait for what happens on another host', () => {
    const rig = new ProcessRig(oneAtATime).add('a').add('b', { host: 'other' }).warm('a');
    rig.arrive('busy', { model: 'a' });
    rig.news();
    expect(rig.arrive('1', { model: 'b' })).toBe('load b');
  });

  test.each([false, true])(
    'waits for a removed process that still serves (without a slot: %s)',
    (slotless) => {
      const rig = new ProcessRig(oneAtATime).add('ab').warm('a');
      rig.arrive('busy', { model: 'a', slotless });
      rig.remove('a');
      rig.news();
      expect(rig.arrive('1', { model: 'b' })).toBe('');
      expect(rig.finish('busy')).toBe('load b');
    },
  );

  test('is not loaded beside what new rules forbid, though its own stops were asked for before', () => {
    const rig = new ProcessRig(groups(group('ak', { swap: false }), group('b'))).add('akb').warm('ak');
    rig.configure(matrix('a & k', 'b & k'));
    rig.arrive('1', { model: 'b' });
    rig.news();
    expect(rig.configure(oneAtATime)).toBe('unload k evicted');
    expect(rig.stopped('a')).toBe('');
    expect(rig.stopped('k')).toBe('load b');
  });

  test('does not load what another one is about to take the place of', () => {
    const alone = (id: string) => group(id, { exclusive: false });
    const rig = new ProcessRig(groups(alone('a'), alone('b'), group('c'))).add('abc').warm('ab');
    rig.news();
    expect(rig.arrive('1', { model: 'c' })).toBe('unload a evicted unload b evicted');
    rig.stopped('a');
    expect(rig.arrive('2', { model: 'a' })).toBe('');
    expect(rig.stopped('b')).toBe('load c');
    expect(rig.ready('c')).toBe('1→c load a');
  });

  test('is made for the process of a model that stops least', () => {
    const rig = new ProcessRig(groups(group('xa'), group('b', { exclusive: false })));
    rig
      .add('x')
      .add('ab', { models: ['m'] })
      .warm('x');
    rig.news();
    expect(rig.arrive('1', { model: 'm' })).toBe('load b');
  });

  test('takes the other process of a model when that may be tried again first', () => {
    const rig = new ProcessRig(groups(group('xb'), group('a', { exclusive: false })));
    rig
      .add('x')
      .add('ab', { models: ['m'] })
      .warm('x');
    rig.arrive('busy', { model: 'x' });
    rig.arrive('failing', { model: 'm', only: new Set(['a']) });
    rig.stopped('a', { ...crash, retryAtMs: 1000 });
    rig.news();
    expect(rig.arrive('1', { model: 'm' })).toBe('');
    expect(rig.pass(1000)).toBe('load a');
  });

  test('is held up neither by those it was made for and who went elsewhere, nor by those it cannot serve', () => {
    const rig = new ProcessRig(groups(group('ab', { swap: false }), group('c')));
    rig
      .add('a', { models: ['m', 'n'], slotsTotal: 1 })
      .add('b', { models: ['m'], slotsTotal: 1 })
      .add('c');
    rig.backend('remote', { models: ['n', 'o'], state: 'dead' });
    rig.arrive('m1', { model: 'm' });
    rig.unloadWish('a');
    rig.arrive('m2', { model: 'm' });
    rig.arrive('n1', { model: 'n' });
    rig.arrive('n2', { model: 'n' });
    rig.news();
    expect(rig.stopped('a')).toBe('load a');
    expect(rig.ready('a')).toBe('m1→a');
    expect(rig.ready('b')).toBe('m2→b');
    expect(rig.finish('m1')).toBe('n1→a');
    rig.ready('a', { models: ['m'] });
    rig.finish('m2');
    rig.arrive('c1', { model: 'c' });
    rig.news();
    expect(rig.finish('n1')).toBe('unload b evicted unload a evicted');
  });

  test('is planned again when the rules change before its load', () => {
    const rig = new ProcessRig(oneAtATime).add('abc').warm('a');
    rig.arrive('busy', { model: 'a' });
    rig.arrive('1', { model: 'b' });
    rig.news();
    expect(rig.configure(groups(group('ab', { swap: false })))).toBe('load b');
    rig.ready('b');
    rig.arrive('2', { model: 'c' });
    rig.finish('1');
    expect(rig.finish('busy')).toBe('unload b evicted unload a evicted');
    rig.stopped('b');
    expect(rig.configure(oneAtATime)).toBe('');
    expect(rig.stopped('a')).toBe('load c');
  });

  test('shows what it waits for', () => {
    const rig = new ProcessRig(oneAtATime).add('ab').warm('a');
    rig.arrive('1', { model: 'b' });
    const { swaps, backends } = rig.snapshot();
    expect(swaps).toEqual([{ target: 'b', evicted: ['a'], because: 'b', startedMs: 0, waitsFor: ['a'] }]);
    expect(backends.get('a')?.process).toMatchObject({ phase: 'stopping', closing: true });
  });
});

describe('GRP-1 groups', () => {
  test.each([
    ['a sibling is stopped', [group('ab')], 'a', 'b', 'unload a evicted'],
    ['siblings without swap stay', [group('ab', { swap: false })], 'a', 'b', 'load b'],
    ['an exclusive group stops the others', [group('a'), group('b')], 'a', 'b', 'unload a evicted'],
    ['a persistent group stays', [group('a', { persistent: true }), group('b')], 'a', 'b', 'load b'],
    [
      'a group that is not exclusive stops no other',
      [group('a'), group('b', { exclusive: false })],
      'a',
      'b',
      'load b',
    ],
  ])('%s', (_name, list, first, second, expected) => {
    const rig = new ProcessRig(groups(...list)).add('ab').warm(first);
    rig.news();
    expect(rig.arrive('1', { model: second })).toBe(expected);
  });

  test('two that are not exclusive load at the same time', () => {
    const rig = new ProcessRig(groups(group('a', { exclusive: false }), group('b', { exclusive: false })));
    rig.add('ab');
    expect(rig.arrive('1', { model: 'a' })).toBe('load a');
    expect(rig.arrive('2', { model: 'b' })).toBe('load b');
  });

  test('members of one swap group never load at the same time, even before the first has begun to', () => {
    const rig = new ProcessRig(groups(group('ab', { exclusive: false }))).add('ab');
    expect(rig.arrive('1', { model: 'a' })).toBe('load a');
    expect(rig.arrive('2', { model: 'b' })).toBe('');
  });

  test('one that is not exclusive may start beside an exclusive one that waits for its load', () => {
    const rig = new ProcessRig(groups(group('ab'), group('c', { exclusive: false }))).add('abc').warm('a');
    rig.news();
    rig.arrive('1', { model: 'b' });
    expect(rig.arrive('2', { model: 'c' })).toBe('load c');
    expect(rig.stopped('a')).toBe('load b');
  });
});

describe('MXR-1 a matrix', () => {
  test('stops what conflicts and keeps what does not', () => {
    const rig = new ProcessRig(matrix('a & c', 'b & c')).add('abc').warm('ac');
    rig.news();
    expect(rig.arrive('1', { model: 'b' })).toBe('unload a evicted');
  });

  test('loads what fits together at the same time', () => {
    const rig = new ProcessRig(matrix('a & b')).add('ab');
    rig.arrive('1', { model: 'a' });
    expect(rig.arrive('2', { model: 'b' })).toBe('load b');
  });

  test('lets what does not fit wait for the first to be done, and then stops it', () => {
    const rig = new ProcessRig(matrix('a', 'b')).add('ab');
    rig.arrive('1', { model: 'a' });
    expect(rig.arrive('2', { model: 'b' })).toBe('');
    rig.ready('a');
    expect(rig.finish('1')).toBe('unload a evicted');
    expect(rig.stopped('a')).toBe('load b');
  });
});

describe('whose turn it is to be loaded', () => {
  test('FIFO-13 is decided by priority, then by arrival', () => {
    const rig = new ProcessRig(oneAtATime).add('xabcd').warm('x');
    rig.arrive('busy', { model: 'x' });
    for (const [model, priority] of [
      ['b', 5],
      ['d', 9],
      ['c', 5],
      ['a', 1],
    ] as const) {
      rig.arrive(`for-${model}`, { model, priority });
    }
    rig.finish('busy');
    let before = 'x';
    const order: string[] = [];
    for (const model of 'abcd') {
      order.push(rig.stopped(before));
      rig.ready(model);
      rig.finish(`for-${model}`);
      before = model;
    }
    expect(order).toEqual(['load a', 'load b', 'load c', 'load d']);
  });

  test('does not hold up who has a later turn and is in nobody’s way', () => {
    const rig = new ProcessRig(groups(group('ab', { exclusive: false }), group('c', { exclusive: false })));
    rig.add('abc').warm('a');
    rig.arrive('busy', { model: 'a' });
    rig.news();
    expect(rig.arrive('1', { model: 'b', priority: 0 })).toBe('');
    expect(rig.arrive('2', { model: 'c', priority: 9 })).toBe('load c');
  });

  test('goes to those who wait for their model to be served before it is swapped', () => {
    const rig = new ProcessRig(oneAtATime).add('ab', { slotsTotal: 1 }).warm('a');
    rig.arrive('1', { model: 'a' });
    rig.arrive('2', { model: 'b' });
    rig.arrive('3', { model: 'a' });
    rig.news();
    expect(rig.finish('1')).toBe('3→a');
    expect(rig.finish('3')).toBe('unload a evicted');
  });
});
