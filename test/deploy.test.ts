/** What is shipped for Prometheus and Grafana speaks of metrics and labels that there are, and explains its alerts. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { metricTable, type MetricEntry } from '../src/telemetry/metric-table.ts';

const metrics: Readonly<Record<string, MetricEntry>> = metricTable;
/** Given by Prometheus to every series. */
const scrapeLabels = ['instance', 'job'];

interface Query {
  readonly where: string;
  readonly expr: string;
  /** Label names used in texts about it. */
  readonly shown: readonly string[];
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] };
}

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

const dashboard = JSON.parse(readFileSync('deploy/grafana/llamero.json', 'utf8')) as Dashboard;
const rules = parse(readFileSync('deploy/prometheus/alerts.yaml', 'utf8')) as {
  readonly groups: readonly { readonly rules: readonly Alert[] }[];
};
const alerts = rules.groups.flatMap((group) => group.rules);
const namesIn = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, name = '']) => name);

const queries: readonly Query[] = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({
      where: title,
      expr,
      shown: namesIn(legendFormat, /\{\{\s*(\w+)\s*\}\}/g),
    })),
  ),
  ...alerts.map(({ alert, expr, annotations }) => ({
    where: alert,
    expr,
    shown: namesIn(annotations.summary, /\$labels\.(\w+)/g),
  })),
];

/** The entry that a series belongs to; a histogram shows only by its parts. */
function entryOf(series: string): MetricEntry | undefined {
  const family = series.replace(/_(?:bucket|sum|count)$/, '');
  const histogram = family === series ? undefined : metrics[family];
  if (histogram?.kind === 'histogram') return histogram;
  const entry = metrics[series];
  return entry?.kind === 'histogram' ? undefined : entry;
}

function labelsIn(expr: string): string[] {
  const matched = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, inner = '']) =>
    namesIn(inner, /(\w+)\s*(?:=~|!~|!=|=)/g),
  );
  const grouped = namesIn(expr, /\b(?:by|without|on)\s*\(([^)]*)\)/g).flatMap((list) =>
    list.split(/\s*,\s*/),
  );
  return [...matched, ...grouped];
}

describe.each(queries)('query of $where: $expr', ({ expr, shown }) => {
  const series = expr.match(/\bllamero_\w+/g) ?? [];

  test('names metrics of the table', () => {
    expect(series.length).toBeGreaterThan(0);
    expect(series.filter((name) => entryOf(name) === undefined)).toEqual([]);
  });

  test('uses labels that all of its metrics have', () => {
    const used = [...labelsIn(expr), ...shown];
    for (const name of series) {
      const known = [
        ...(entryOf(name)?.labels ?? []),
        ...scrapeLabels,
        ...(name.endsWith('_bucket') ? ['le'] : []),
      ];
      expect(used.filter((label) => !known.includes(label))).toEqual([]);
    }
  });
});

describe('dashboard', () => {
  test('has its rows, and a query in every panel', () => {
    const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows).toEqual([
      'Overview',
      'Queue',
      'Placement',
      'Swaps',
      'Latency',
      'Tokens',
      'Answers that are given again',
      'GPUs',
      'Router',
    ]);
    const silent = dashboard.panels.filter(
      ({ type, targets = [] }) => type !== 'row' && targets.length === 0,
    );
    expect(silent).toEqual([]);
  });

  test('chooses by labels that there are', () => {
    for (const { query } of dashboard.templating.list) {
      const [, name = '', label = ''] =
        /^label_values\((\w+), (\w+)\)$/.exec(typeof query === 'string' ? query : query.query) ?? [];
      if (name === '') expect(query).toBe('prometheus');
      else expect([...(entryOf(name)?.labels ?? []), ...scrapeLabels]).toContain(label);
    }
  });
});

describe('alerts', () => {
  const page = readFileSync('docs/alerts.md', 'utf8');

  test('each have a chapter that says what to do, and no chapter is without its alert', () => {
    expect(namesIn(page, /^## (\w+)$/gm)).toEqual(alerts.map(({ alert }) => alert));
    for (const { alert, annotations } of alerts) {
      expect(annotations.runbook).toBe(`docs/alerts.md#${alert.toLowerCase()}`);
    }
  });

  test('have a severity, and a name of their own', () => {
    expect(alerts.every(({ labels }) => ['info', 'warning', 'critical'].includes(labels.severity))).toBe(
      true,
    );
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
  });
});
