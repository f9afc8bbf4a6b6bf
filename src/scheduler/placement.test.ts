import { describe, expect, test } from 'vitest';
import { Rig } from '../../test/scheduler/rig.ts';
import { presets } from './presets.ts';

describe('placement', () => {
  test('equals take turns, per model, in the order of the configuration', () => {
    const rig = new Rig();
    for (const id of ['b1', 'b2', 'b3']) rig.backend(id, { slotsTotal: 9, models: ['x', 'y'] });
    const where = (id: string, model: string): string => rig.arrive(id, { model });
    expect(where('x1', 'x')).toBe('x1→b1');
    expect(where('x2', 'x')).toBe('x2→b2');
    expect(where('y1', 'y')).toBe('y1→b1');
    expect(where('x3', 'x')).toBe('x3→b3');
    expect(where('x4', 'x')).toBe('x4→b1');
    expect(where('y2', 'y')).toBe('y2→b2');
  });

  test('a conversation goes back to its backend while that has room and it is remembered', () => {
    const rig = new Rig({ sessionTtlMs: 10_000, sessionsMax: 2 });
    for (const id of ['b1', 'b2']) rig.backend(id, { slotsTotal: 2 });
    const say = (id: string, session: string): string => {
      const news = rig.arrive(id, { session });
      rig.finish(id);
      return news.slice(-2);
    };
    expect([say('1', 's'), say('2', 's'), say('3', 't'), say('4', 's')]).toEqual(['b1', 'b1', 'b2', 'b1']);
    expect(rig.snapshot().sessions).toBe(2);
    rig.pass(10_000);
    expect(rig.snapshot().sessions).toBe(0);
    rig.arrive('busy1', { session: 's' });
    const backend = rig.grants.at(-1)?.backend ?? '';
    rig.arrive('busy2', { session: 's' });
    expect(rig.grants.at(-1)?.backend).toBe(backend);
    rig.arrive('third', { session: 's' });
    expect(rig.grants.at(-1)?.backend).not.toBe(backend);
  });

  test('one session asked for two models has two homes', () => {
    const rig = new Rig();
    rig.backend('b1', { models: ['x'] });
    rig.backend('b2', { models: ['y'], slotsTotal: 4 });
    rig.backend('b3', { models: ['x', 'y'], slotsTotal: 4 });
    rig.arrive('1', { model: 'x', session: 's' });
    rig.arrive('2', { model: 'y', session: 's' });
    expect(rig.snapshot().sessions).toBe(2);
  });

  test('the decision names the winner and why others were left out', () => {
    const rig = new Rig();
    rig.backend('b1', { models: ['other'] });
    rig.backend('b2', { state: 'dead' });
    rig.backend('b3');
    rig.backend('b4', { state: 'draining' });
    rig.backend('b5');
    rig.arrive('a');
    rig.nowMs = 70;
    rig.arrive('b');
    const decision = rig.grants[1]?.decision;
    expect(decision).toMatchObject({
      request: 'b',
      model: 'm',
      backend: 'b5',
      picker: 'max-score',
      attempt: 1,
    });
    expect(decision?.candidates.map((one) => [one.backend, one.excludedBy])).toEqual([
      ['b5', undefined],
      ['b1', 'serves-model'],
      ['b2', 'healthy'],
      ['b3', 'free-slot'],
      ['b4', 'not-draining'],
    ]);
    expect(decision?.candidates[0]?.scores).toEqual({ 'session-affinity': 0 });
  });

  test('a decision keeps no more candidates than the setting, the winner among them', () => {
    const rig = new Rig({ decisionCandidatesMax: 2, scorers: [{ name: 'free-slot-share', weight: 1 }] });
    for (let n = 0; n < 9; n += 1) rig.backend(`b${n}`, { slotsTotal: 1 });
    rig.backend('winner', { slotsTotal: 10, slots: { busy: 0, probeStartedMs: 0 } });
    for (let n = 0; n < 10; n += 1) rig.arrive(`r${n}`);
    for (const { backend, decision } of rig.grants) {
      expect(decision.candidates).toHaveLength(2);
      expect(decision.candidates.map((one) => one.backend)).toContain(backend);
    }
  });

  test('a decision tells what was compared when it was taken, however late it is read', () => {
    const compare = { decisionCandidatesMax: 8, scorers: presets.default.scorers, picker: 'max-score' };
    const play = (rig: Rig): Rig => {
      rig.backend('b1', { slotsTotal: 4, loaded: ['m'], gpuLoad: 20 });
      rig.backend('b2', { slotsTotal: 2, gpuLoad: 0 });
      rig.backend('b3', { state: 'dead' });
      rig.arrive('r1', { session: 's' });
      rig.arrive('r2', { session: 's' });
      return rig;
    };
    const atOnce = play(new Rig(compare)).grants.map(({ decision }) => decision.candidates);
    const rig = play(new Rig(compare));
    rig.finish('r1');
    rig.backend('b1', { state: 'dead', slotsTotal: 1 });
    rig.remove('b3');
    rig.configure({ scorers: [{ name: 'weight', weight: 1 }] });
    expect(rig.grants.map(({ decision }) => decision.candidates)).toEqual(atOnce);
    expect(atOnce[1]?.map(({ backend, score }) => [backend, score])).toEqual([
      ['b1', 2 + 3 + 2 * (3 / 4) + 1 + 0.5 * 0.8],
      ['b2', 2 + 1 + 0.5],
      ['b3', 0],
    ]);
  });

  test('settings that name no policy are refused and the old ones stay', () => {
    const rig = new Rig();
    rig.backend('b1');
    expect(() => rig.configure({ picker: 'nope' })).toThrow("No picker is called 'nope'");
    expect(() => rig.configure({ scorers: [{ name: 'nope', weight: 1 }] })).toThrow(
      "No scorer is called 'nope'",
    );
    expect(rig.arrive('a')).toBe('a→b1');
  });

  test('the same events and seed give the same trace', () => {
    const run = (): readonly string[] => {
      const rig = new Rig({ picker: 'power-of-two' }, 42);
      for (let n = 0; n < 5; n += 1) rig.backend(`b${n}`, { slotsTotal: 3 });
      for (let n = 0; n < 30; n += 1) rig.arrive(`r${n}`);
      for (let n = 0; n < 10; n += 1) rig.finish(`r${n}`);
      return rig.log;
    };
    expect(run()).toEqual(run());
  });
});

describe('a backend on which a model failed', () => {
  const failing = { distrusted: new Set(['x']), models: ['x', 'y'] };

  test('is passed over for that model, even while the other one is busy, and not for others', () => {
    const rig = new Rig();
    rig.backend('b1', failing);
    rig.backend('b2', { models: ['x', 'y'] });
    expect(rig.arrive('x1', { model: 'x' })).toBe('x1→b2');
    expect(rig.arrive('x2', { model: 'x' })).toBe('');
    expect(rig.arrive('y1', { model: 'y' })).toBe('y1→b1');
    expect(rig.finish('x1')).toBe('x2→b2');
    expect(rig.grants[0]?.decision.candidates).toContainEqual(
      expect.objectContaining({ backend: 'b1', excludedBy: 'trusted' }),
    );
  });

  test('is used where it is the only one, and where all have failed', () => {
    const rig = new Rig();
    rig.backend('b1', failing);
    expect(rig.arrive('1', { model: 'x' })).toBe('1→b1');
    rig.backend('b2', failing);
    expect(rig.arrive('2', { model: 'x' })).toBe('2→b2');
  });

  test.each([
    ['died', (rig: Rig) => rig.backend('b2', { models: ['x'], state: 'dead' })],
    ['left', (rig: Rig) => rig.remove('b2')],
    ['failed too', (rig: Rig) => rig.backend('b2', { models: ['x'], distrusted: new Set(['x']) })],
    ['lost the model', (rig: Rig) => rig.backend('b2', { models: ['y'] })],
  ])('is used at once by those who wait when the other one has %s', (_, happen) => {
    const rig = new Rig();
    rig.backend('b1', failing);
    rig.backend('b2', { models: ['x'] });
    rig.arrive('1', { model: 'x' });
    expect(rig.arrive('2', { model: 'x' })).toBe('');
    expect(happen(rig)).toBe('2→b1');
  });

  test('is used at once by those who wait when it is trusted again', () => {
    const rig = new Rig();
    rig.backend('b1', failing);
    rig.backend('b2', { models: ['x'] });
    rig.arrive('1', { model: 'x' });
    rig.arrive('2', { model: 'x' });
    expect(rig.backend('b1', { models: ['x', 'y'] })).toBe('2→b1');
  });

  test('is used where the other one is busy and nobody may wait', () => {
    const rig = new Rig({ queueMax: 0 });
    rig.backend('b1', failing);
    rig.backend('b2', { models: ['x'] });
    expect(rig.arrive('1', { model: 'x' })).toBe('1→b2');
    expect(rig.arrive('2', { model: 'x' })).toBe('2→b1');
  });

  test('is used where the other one cannot take the request', () => {
    const rig = new Rig();
    rig.backend('b1', failing);
    rig.backend('b2', { models: ['x'], contextTokens: { x: 100 } });
    expect(rig.arrive('long', { model: 'x', tokensEstimated: 4000 })).toBe('long→b1');
    expect(rig.arrive('only', { model: 'x', only: new Set(['b1']) })).toBe('');
    expect(rig.finish('long')).toBe('only→b1');
  });
});
