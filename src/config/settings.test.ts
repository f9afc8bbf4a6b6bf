import { describe, expect, test } from 'vitest';
import { presets } from '../scheduler/presets.ts';
import { configSchema } from './schema.ts';
import type { Config } from './schema.ts';
import { fingerprintRecipe, looksAtPrompts, toSchedulerSettings } from './settings.ts';

function settingsOf(written: Partial<Record<keyof Config, unknown>>) {
  return toSchedulerSettings(configSchema.parse(written));
}

describe('toSchedulerSettings', () => {
  test.each(['default', 'llamacpp-ha'] as const)('takes the policies of preset %s', (name) => {
    const preset = presets[name];
    expect(settingsOf({ scheduling: { preset: name } })).toMatchObject({
      ordering: preset.ordering,
      scorers: preset.scorers,
      picker: preset.picker,
      modelAffinityBonusMs: preset.modelAffinityBonusMs,
    });
  });

  test('fills in every default', () => {
    expect(settingsOf({})).toMatchObject({
      queueMax: 10_000,
      queueTimeoutMs: 300_000,
      deadWaitMs: 15_000,
      priorityAgeingMs: 30_000,
      overtakenMax: 100,
      stickyDelayMs: 3000,
      modelLimits: new Map(),
      sessionTtlMs: 600_000,
      sessionsMax: 100_000,
      promptBonusMs: 10_000,
      promptPatienceMs: 1000,
      lingerMsMax: 60_000,
    });
  });

  test('lets single keys override the preset', () => {
    const scheduling = {
      preset: 'llamacpp-ha',
      ordering: 'fair',
      scorers: { weight: 2, 'model-loaded': 0.5 },
      picker: 'power-of-two',
      modelAffinityBonus: '7s',
    };
    const settings = settingsOf({ scheduling });
    expect(settings).toMatchObject({ ordering: 'fair', picker: 'power-of-two', modelAffinityBonusMs: 7000 });
    expect(settings.scorers).toEqual(
      expect.arrayContaining([
        { name: 'weight', weight: 2 },
        { name: 'model-loaded', weight: 0.5 },
      ]),
    );
    expect(settings.scorers).toHaveLength(2);
  });

  test('lets 0 switch the bonus off that a preset has', () => {
    expect(settingsOf({ scheduling: { modelAffinityBonus: 0 } }).modelAffinityBonusMs).toBe(0);
  });

  test('reads 0 as no limit where the key says so', () => {
    const settings = settingsOf({ scheduling: { queueTimeout: 0, priorityAgeing: '0s', deadWait: 0 } });
    expect(settings.queueTimeoutMs).toBe(Number.POSITIVE_INFINITY);
    expect(settings.priorityAgeingMs).toBe(Number.POSITIVE_INFINITY);
    expect(settings.deadWaitMs).toBe(0);
  });

  test.each<[object, string | undefined]>([
    [{}, 'own'],
    [{ scheduling: { preset: 'nomyo-priority' } }, 'nomyo'],
    [{ scheduling: { preset: 'nomyo' }, affinity: { session: { recipe: 'own' } } }, 'own'],
    [{ affinity: { session: { recipe: 'nomyo' } } }, 'nomyo'],
    [{ affinity: { session: { recipe: 'nomyo', fingerprint: false } } }, undefined],
  ])('recognises conversations with %j by the recipe %s', (text, recipe) => {
    expect(fingerprintRecipe(configSchema.parse(text))).toBe(recipe);
  });

  test('looks at prompts only where a scorer asks, and there is memory for it', () => {
    const looks = (text: object): boolean => looksAtPrompts(configSchema.parse(text));
    expect(looks({})).toBe(true);
    expect(looks({ scheduling: { preset: 'llamacpp-ha' } })).toBe(false);
    expect(looks({ scheduling: { scorers: { weight: 1 } } })).toBe(false);
    expect(looks({ scheduling: { preset: 'llamacpp-ha', scorers: { 'prefix-affinity': 1 } } })).toBe(true);
    expect(looks({ affinity: { prefix: { memory: 0 } } })).toBe(false);
    expect(settingsOf({ affinity: { prefix: { loadFactor: 0 } } }).promptLoadFactor).toBe(Infinity);
    expect(settingsOf({ affinity: { prefix: { memory: '1MiB' } } }).promptBytesMax).toBe(1_048_576);
  });

  test('remembers no session when affinity is off', () => {
    expect(settingsOf({ affinity: { session: { enabled: false } } }).sessionsMax).toBe(0);
    expect(settingsOf({ affinity: { session: { max: 7 } } }).sessionsMax).toBe(7);
  });

  test('keeps model limits by name', () => {
    expect(settingsOf({ scheduling: { modelLimits: { m: 3 } } }).modelLimits).toEqual(new Map([['m', 3]]));
  });
});
