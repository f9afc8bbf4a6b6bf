import { Histogram, Registry, type Metric } from '@prometheus-io/client';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BucketHistogram } from './bucket-histogram.ts';

const shape = { name: 'wait_seconds', help: 'Waiting', labelNames: ['model', 'backend'] };
const buckets = [0.01, 0.5, 2];

function createHistogram() {
  const histogram = new BucketHistogram({ ...shape, buckets });
  const registry = new Registry();
  registry.registerMetric(histogram as unknown as Metric);
  return { histogram, registry };
}

describe('BucketHistogram', () => {
  test('is shown as the library shows its own', async () => {
    const value = fc.oneof(fc.constantFrom(...buckets), fc.double({ min: 0, max: 4, noNaN: true }));
    const label = fc.constantFrom('a', 'b "quoted"', 'c\nd');
    const observation = fc.record({ model: label, backend: label, value });
    await fc.assert(
      fc.asyncProperty(fc.array(observation, { maxLength: 30 }), async (observations) => {
        const { histogram, registry } = createHistogram();
        const theirs = new Registry();
        const library = new Histogram({ ...shape, buckets, registers: [theirs] });
        for (const { model, backend, value: seconds } of observations) {
          histogram.labels({ model, backend }).observe(seconds);
          library.labels({ model, backend }).observe(seconds);
        }
        expect(await registry.metrics()).toBe(await theirs.metrics());
      }),
      { numRuns: 50 },
    );
  });

  test('shows no series that nothing was added to', async () => {
    const { histogram, registry } = createHistogram();
    histogram.labels({ model: 'm', backend: 'b' });
    expect(await registry.metrics()).toBe('# HELP wait_seconds Waiting\n# TYPE wait_seconds histogram\n');
  });

  test('gives the same series for the same labels, whatever their order', () => {
    const { histogram } = createHistogram();
    const series = histogram.labels({ model: 'm', backend: 'b' });
    expect(histogram.labels({ backend: 'b', model: 'm' })).toBe(series);
    expect(histogram.labels({ backend: 'm', model: 'b' })).not.toBe(series);
  });
});
