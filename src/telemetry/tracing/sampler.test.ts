import { describe, expect, test } from 'vitest';
import { isSampled } from './sampler.ts';
import { newSpanId, newTraceId, type SpanContext } from './trace-context.ts';
import type { SamplerName } from './tracing-settings.ts';

const parent = (sampled: boolean): SpanContext => ({
  traceId: newTraceId(),
  spanId: newSpanId(),
  sampled,
  traceState: '',
});

describe('sampler', () => {
  test.each<[SamplerName, boolean, boolean, boolean]>([
    ['always_on', true, true, true],
    ['always_off', false, false, false],
    ['parentbased_always_on', true, true, false],
    ['parentbased_always_off', false, true, false],
  ])('%s decides without a parent, with a kept one and with one that is not', (sampler, ...expected) => {
    const judge = (from: SpanContext | undefined): boolean =>
      isSampled({ sampler, ratio: 1 }, newTraceId(), from);
    expect([judge(undefined), judge(parent(true)), judge(parent(false))]).toEqual(expected);
  });

  test('by ratio keeps about that share, and the same traces each time', () => {
    const settings = { sampler: 'traceidratio', ratio: 0.3 } as const;
    const ids = Array.from({ length: 4000 }, newTraceId);
    const kept = ids.filter((id) => isSampled(settings, id, undefined));
    expect(kept.length / ids.length).toBeGreaterThan(0.25);
    expect(kept.length / ids.length).toBeLessThan(0.35);
    expect(kept.every((id) => isSampled(settings, id, parent(false)))).toBe(true);
    expect(ids.some((id) => isSampled({ ...settings, ratio: 0 }, id, undefined))).toBe(false);
    expect(ids.every((id) => isSampled({ ...settings, ratio: 1 }, id, undefined))).toBe(true);
  });

  test('by ratio follows a parent where it is told to', () => {
    const settings = { sampler: 'parentbased_traceidratio', ratio: 0 } as const;
    expect(isSampled(settings, newTraceId(), parent(true))).toBe(true);
    expect(isSampled(settings, newTraceId(), undefined)).toBe(false);
  });
});
