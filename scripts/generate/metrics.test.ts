import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { outcomes } from '../../src/domain/outcome.ts';
import { metricTable } from '../../src/telemetry/metric-table.ts';
import { metricsDocument } from './metrics.ts';

const { path, text } = metricsDocument();
const firstColumn = (document: string) => [...document.matchAll(/^\| `([a-z_]+)`/gm)].map(([, name]) => name);

describe('docs/metrics.md', () => {
  test('is what the table generates', () => {
    expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).toBe(text);
  });

  test('has every metric and every outcome, and no other', () => {
    expect(firstColumn(text)).toEqual([...Object.keys(metricTable), ...outcomes]);
  });

  test('has no cell that would break its tables', () => {
    for (const { help } of Object.values(metricTable)) expect(help).not.toMatch(/[|\n]/);
  });
});
