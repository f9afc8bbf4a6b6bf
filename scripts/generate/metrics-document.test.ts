import { expect, test } from 'vitest';
import { outcomes } from '../../src/domain/outcome.ts';
import { metricTable } from '../../src/telemetry/metric-table.ts';
import { metricsDocument } from './metrics-document.ts';

test('docs/metrics.md has every metric, every outcome and every histogram, and no other', () => {
  const named = [...metricsDocument.render().matchAll(/^\| `([a-z_]+)`/gm)].map(([, name]) => name);
  const histograms = Object.entries(metricTable).flatMap(([name, { kind }]) =>
    kind === 'histogram' ? [name] : [],
  );
  expect(named).toEqual([...Object.keys(metricTable), ...outcomes, ...histograms]);
});
