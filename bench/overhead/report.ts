/** From figures of many rounds to medians, ratios and tables. */
import type { Scenario } from './scenarios.ts';
import { stackTitles } from './stacks.ts';
import type { StackName } from './stacks.ts';

/** What one scenario gave for one stack in one round. */
export interface Sample {
  readonly round: number;
  readonly scenario: string;
  readonly stack: StackName;
  readonly figures: Readonly<Record<string, number>>;
  readonly error: string | undefined;
}

/** One cell: the median, its ratio to HAProxy (to direct: the difference), or why there is none. */
export interface Cell {
  readonly median: number | undefined;
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly ratio: number | undefined;
  readonly error: string | undefined;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly { readonly stack: StackName; readonly cells: readonly Cell[] }[];
}

export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 0 && low !== undefined && high !== undefined ? (low + high) / 2 : high;
}

/** One table per scenario that has samples; ratios are medians of the ratios within each round. */
export function tablesOf(scenarios: readonly Scenario[], samples: readonly Sample[]): Table[] {
  return scenarios.flatMap((scenario) => {
    const own = samples.filter((sample) => sample.scenario === scenario.name);
    const stacks = scenario.stacks.filter((stack) => own.some((sample) => sample.stack === stack));
    if (stacks.length === 0) return [];
    const rows = stacks.map((stack) => ({
      stack,
      cells: scenario.figures.map((figure) => cellOf(own, stack, figure)),
    }));
    return [{ title: scenario.title, columns: scenario.figures, rows }];
  });
}

function cellOf(samples: readonly Sample[], stack: StackName, figure: string): Cell {
  const own = samples.filter((sample) => sample.stack === stack);
  const error = own.find((sample) => sample.error !== undefined)?.error;
  // A stack that failed once has no figure: the rounds that worked would flatter it.
  if (error !== undefined)
    return { median: undefined, low: undefined, high: undefined, ratio: undefined, error };
  const values = own.flatMap((sample) => sample.figures[figure] ?? []);
  const ratios = own.flatMap((sample) => {
    const base = samples.find((other) => other.round === sample.round && other.stack === 'haproxy')?.figures[
      figure
    ];
    const value = sample.figures[figure];
    return base === undefined || base === 0 || value === undefined ? [] : [value / base];
  });
  return {
    median: median(values),
    low: values.length === 0 ? undefined : Math.min(...values),
    high: values.length === 0 ? undefined : Math.max(...values),
    ratio: median(ratios),
    error: undefined,
  };
}

/** Where there is a `direct` row, the others also show what they add to it. */
export function toMarkdown(table: Table): string {
  const direct = table.rows.find(({ stack }) => stack === 'direct');
  const header = [
    '',
    ...table.columns.flatMap((column) => [column, ...(direct ? ['added'] : []), '× HAProxy']),
  ];
  const lines = table.rows.map(({ stack, cells }) => {
    const texts = cells.flatMap((cell, index) => {
      if (cell.error !== undefined) return ['failed', ...(direct ? ['–'] : []), '–'];
      const base = direct?.cells[index]?.median;
      const added = cell.median === undefined || base === undefined ? undefined : cell.median - base;
      const spread = `${format(cell.median)} (${format(cell.low)}–${format(cell.high)})`;
      return [
        spread,
        ...(direct ? [stack === 'direct' ? '' : format(added)] : []),
        cell.ratio?.toFixed(2) ?? '–',
      ];
    });
    return [stackTitles[stack], ...texts];
  });
  const errors = table.rows.flatMap(({ stack, cells }) => {
    const error = cells.find((cell) => cell.error !== undefined)?.error;
    return error === undefined ? [] : [`- ${stackTitles[stack]} failed: ${error.split('\n')[0]}`];
  });
  const widths = header.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => (line[column] ?? '').length), 3),
  );
  const row = (texts: readonly string[]): string =>
    `| ${texts.map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [
    `## ${table.title}`,
    '',
    row(header),
    rule,
    ...lines.map(row),
    ...(errors.length > 0 ? ['', ...errors] : []),
    '',
  ].join('\n');
}

function format(value: number | undefined): string {
  if (value === undefined) return '–';
  return Math.abs(value) < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US');
}
