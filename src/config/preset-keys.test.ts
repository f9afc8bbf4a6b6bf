import { describe, expect, test } from 'vitest';
import { Rig, type ViewFields } from '../../test/scheduler/rig.ts';
import { presets } from '../scheduler/presets.ts';
import { loadConfigText } from './load.ts';
import type { Config } from './schema.ts';
import { toSchedulerSettings } from './settings.ts';

function load(text: string): Config {
  const result = loadConfigText({ file: 'f', text, env: {} });
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join());
  return result.config;
}

/** A scheduler as a configuration with this preset has it. */
function rigOf(preset: string, seed = 1): Rig {
  return new Rig(toSchedulerSettings(load(`scheduling: { preset: ${preset} }`)), seed);
}

describe('a preset', () => {
  test('fills in keys that the file does not say', () => {
    const { probes, scheduling } = load('scheduling: { preset: ollama-lb }');
    expect(scheduling).toMatchObject({ slotLimits: 'soft', stickyDelay: 0 });
    expect(probes).toMatchObject({ failures: 3, breakerFailures: 3, deadInterval: 30_000, interval: 2000 });
  });

  test('yields to the file', () => {
    const text =
      'scheduling: { preset: ollama-lb, slotLimits: hard, stickyDelay: 1s }\nprobes: { failures: 5, deadInterval: }';
    const { probes, scheduling } = load(text);
    expect(scheduling).toMatchObject({ slotLimits: 'hard', stickyDelay: 1000 });
    expect(probes).toMatchObject({ failures: 5, breakerFailures: 3, deadInterval: 30_000 });
  });

  test('fills in keys of the top level, too, and yields there', () => {
    const { ensemblePrefix } = load('scheduling: { preset: nomyo }');
    expect(ensemblePrefix).toBe('moe-');
    for (const [written, prefix] of [
      ['all-', 'all-'],
      ['""', ''],
    ]) {
      const text = `scheduling: { preset: nomyo }\nensemblePrefix: ${written}`;
      expect(load(text).ensemblePrefix).toBe(prefix);
    }
  });

  test('leaves what is wrong to be told', () => {
    for (const text of [
      'scheduling: { preset: constructor }',
      'scheduling: { preset: ollama-lb }\nprobes: 3',
    ]) {
      expect(loadConfigText({ file: 'f', text, env: {} }).ok).toBe(false);
    }
  });

  test.each(Object.keys(presets))('%s gives settings that a scheduler takes', (preset) => {
    const rig = rigOf(preset);
    rig.backend('a');
    expect(rig.arrive('r1')).toBe('r1→a');
  });
});

describe('preset default', () => {
  test('prefers idle GPUs among backends that are equal otherwise, an unknown load in the middle', () => {
    const rig = rigOf('default');
    rig.backend('busy', { slotsTotal: 4, gpuLoad: 90 });
    rig.backend('unknown', { slotsTotal: 4 });
    rig.backend('idle', { slotsTotal: 4, gpuLoad: 10 });
    expect(rig.arrive('r1')).toBe('r1→idle');
    rig.remove('idle');
    expect(rig.arrive('r2')).toBe('r2→unknown');
  });

  test.each<[string, ViewFields, ViewFields]>([
    ['a model in memory', { loaded: ['m'] }, {}],
    ['a free slot', { slotsTotal: 2 }, { slotsTotal: 2, slots: { busy: 1, probeStartedMs: 0 } }],
    ['health', {}, { state: 'degraded' }],
  ])('prefers %s to idle GPUs', (_, better, worse) => {
    const rig = rigOf('default');
    rig.backend('worse', { ...worse, gpuLoad: 0 });
    rig.backend('better', { ...better, gpuLoad: 90 });
    expect(rig.arrive('r1')).toBe('r1→better');
  });

  test('keeps a conversation where its GPUs are busy with it', () => {
    const rig = rigOf('default');
    rig.backend('a', { slotsTotal: 4, loaded: ['m'] });
    rig.arrive('r1', { session: 's' });
    rig.finish('r1');
    rig.backend('a', { slotsTotal: 4, loaded: ['m'], gpuLoad: 100 });
    rig.backend('b', { slotsTotal: 4, loaded: ['m'], gpuLoad: 0 });
    expect(rig.arrive('r2', { session: 's' })).toBe('r2→a');
  });
});

describe('preset nomyo', () => {
  const places = { models: ['m', 'n'], slotsTotal: 65_536, modelSlotsMax: 2 };

  test('prefers loaded and free, then free, then the least busy, and lets nobody wait', () => {
    const rig = rigOf('nomyo');
    rig.backend('cold', places);
    rig.backend('warm', { ...places, loaded: ['m'] });
    const granted = ['r1', 'r2', 'r3', 'r4', 'r5', 'r6'].map((id) => rig.arrive(id));
    expect(granted.slice(0, 4)).toEqual(['r1→warm', 'r2→warm', 'r3→cold', 'r4→cold']);
    expect(
      granted
        .slice(4)
        .map((news) => news.slice(3))
        .sort(),
    ).toEqual(['cold', 'warm']);
    expect(rig.queued()).toBe('');
  });

  test('limits each model by itself', () => {
    const rig = rigOf('nomyo');
    rig.backend('a', { ...places, loaded: ['m', 'n'] });
    rig.backend('b', places);
    rig.arrive('m1');
    rig.arrive('m2');
    expect(rig.arrive('m3')).toBe('m3→b');
    expect(rig.arrive('n1', { model: 'n' })).toBe('n1→a');
  });

  test('looks at the load of all models where the model is loaded nowhere', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const rig = rigOf('nomyo', seed);
      rig.backend('a', { ...places, loaded: ['n'] });
      rig.backend('b', places);
      rig.arrive('n1', { model: 'n' });
      expect(rig.arrive('m1')).toBe('m1→b');
    }
  });

  test('takes the idle one of two that have the model loaded', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const rig = rigOf('nomyo', seed);
      rig.backend('a', { ...places, loaded: ['m'] });
      rig.arrive('r1');
      rig.backend('b', { ...places, loaded: ['m'] });
      expect(rig.arrive('r2')).toBe('r2→b');
    }
  });

  test('draws among equals', () => {
    const winners = new Set<string>();
    for (let seed = 1; seed <= 30; seed += 1) {
      const rig = rigOf('nomyo', seed);
      for (const id of ['a', 'b']) rig.backend(id, { ...places, loaded: ['m'] });
      winners.add(rig.arrive('r1'));
    }
    expect([...winners].sort()).toEqual(['r1→a', 'r1→b']);
  });

  test('spreads three requests at once over three idle backends', () => {
    const rig = rigOf('nomyo');
    for (const id of ['a', 'b', 'c']) rig.backend(id, { ...places, modelSlotsMax: 1, loaded: ['m'] });
    const granted = ['r1', 'r2', 'r3'].map((id) => rig.arrive(id).slice(3));
    expect(granted.sort()).toEqual(['a', 'b', 'c']);
  });

  test('keeps a conversation while the model is loaded there and has room', () => {
    const rig = rigOf('nomyo');
    rig.backend('a', { ...places, loaded: ['m'] });
    rig.arrive('first', { session: 's' });
    rig.backend('b', { ...places, loaded: ['m'] });
    expect(rig.arrive('second', { session: 's' })).toBe('second→a');
    // Full now: the conversation moves on and stays there.
    expect(rig.arrive('third', { session: 's' })).toBe('third→b');
    rig.finish('first');
    rig.finish('second');
    expect(rig.arrive('fourth', { session: 's' })).toBe('fourth→b');
    for (const id of ['third', 'fourth']) rig.finish(id);
    rig.backend('b', places);
    expect(rig.arrive('fifth', { session: 's' })).toBe('fifth→a');
  });

  test('avoids a backend whose last check failed unless it is the only one', () => {
    const rig = rigOf('nomyo');
    rig.backend('a', { ...places, state: 'degraded', loaded: ['m'] });
    expect(rig.arrive('r1', { session: 's' })).toBe('r1→a');
    rig.backend('b', { ...places, modelSlotsMax: 1 });
    expect(rig.arrive('r2', { session: 's' })).toBe('r2→b');
    expect(rig.arrive('r3')).toBe('r3→b');
  });
});

describe('preset nomyo-priority', () => {
  test('balances 4 : 1 by share, and gives ties to the first', () => {
    for (const seed of [1, 2, 3]) {
      const rig = rigOf('nomyo-priority', seed);
      rig.backend('big', { slotsTotal: 4, loaded: ['m'] });
      rig.backend('small', { slotsTotal: 1, loaded: ['m'] });
      const granted = Array.from({ length: 10 }, (_, n) => rig.arrive(`r${n}`).slice(3));
      expect(granted.join(' ')).toBe('big small big big big big small big big big');
    }
  });
});

describe('preset ollama-lb', () => {
  test('takes the lowest 10 × requests + load, and gives equals their turns', () => {
    const rig = rigOf('ollama-lb');
    rig.backend('a', { gpuLoad: 20 });
    rig.backend('b', { gpuLoad: 0 });
    const granted = Array.from({ length: 6 }, (_, n) => rig.arrive(`r${n}`).slice(3));
    expect(granted.slice(0, 2)).toEqual(['b', 'b']);
    // Both at 20, then a turn for each whenever they are equal.
    expect(granted.slice(2, 4).sort()).toEqual(['a', 'b']);
    expect(granted.slice(4).sort()).toEqual(['a', 'b']);
    expect(rig.queued()).toBe('');
  });

  test('does not care what is loaded', () => {
    const rig = rigOf('ollama-lb');
    rig.backend('a', { gpuLoad: 1, loaded: ['m'] });
    rig.backend('b', { gpuLoad: 0 });
    expect(rig.arrive('r1')).toBe('r1→b');
  });
});

describe('preset llamacpp-ha', () => {
  test('is first in, first out, with hard slots, a place for each conversation and turns for the rest', () => {
    const rig = rigOf('llamacpp-ha');
    for (const id of ['a', 'b']) rig.backend(id, { slotsTotal: 1 });
    expect(rig.arrive('r1', { session: 's' })).toBe('r1→a');
    expect(rig.arrive('r2')).toBe('r2→b');
    expect(rig.arrive('r3')).toBe('');
    expect(rig.arrive('r4', { session: 's' })).toBe('');
    expect(rig.finish('r2')).toBe('r3→b');
    expect(rig.finish('r1')).toBe('r4→a');
    rig.finish('r3');
    rig.finish('r4');
    expect(rig.arrive('r5', { session: 's' })).toBe('r5→a');
    rig.finish('r5');
    expect([rig.arrive('r6').slice(3), rig.arrive('r7').slice(3)].sort()).toEqual(['a', 'b']);
  });

  test('keeps a backend three seconds for its last model', () => {
    const rig = rigOf('llamacpp-ha');
    rig.backend('a', { models: ['m', 'n'], modelsMax: 1 });
    rig.arrive('m1');
    rig.finish('m1');
    expect(rig.arrive('n1', { model: 'n' })).toBe('');
    expect(rig.pass(2999)).toBe('');
    expect(rig.pass(1)).toBe('n1→a');
  });
});

describe('preset llama-swap', () => {
  test('sends everything for a loaded model at once', () => {
    const rig = rigOf('llama-swap');
    rig.backend('a', { slotsTotal: 1, loaded: ['m'] });
    expect(['r1', 'r2', 'r3'].map((id) => rig.arrive(id))).toEqual(['r1→a', 'r2→a', 'r3→a']);
  });

  test('lets a request wait as long as it takes', () => {
    const settings = toSchedulerSettings(load('scheduling: { preset: llama-swap }'));
    expect(settings).toMatchObject({ queueTimeoutMs: Infinity, swapPatienceMs: Infinity, ordering: 'fifo' });
  });
});

test('a change to soft slots lets those who wait go at once', () => {
  const rig = new Rig();
  rig.backend('a');
  rig.arrive('r1');
  rig.arrive('r2');
  expect(rig.queued()).toBe('r2');
  expect(rig.configure({ slotsAreSoft: true })).toBe('r2→a');
});
