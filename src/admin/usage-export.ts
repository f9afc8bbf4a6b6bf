/** The accounts as a file, written as it is read: CSV for spreadsheets, or JSON. Holds a few hundred rows at a time. */
import type { UsageRow } from '../store/usage-query.ts';
import type { UsageRowBody } from './contract-usage.ts';
import { describeUsageRow } from './describe-usage.ts';

export type ExportFormat = 'csv' | 'json';

export const exportTypes: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  json: 'application/json; charset=utf-8',
};

const columns = [
  'start',
  'seconds',
  'key',
  'backend',
  'model',
  'dialect',
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cached_tokens',
  'reasoning_tokens',
  'requests',
  'errors',
  'estimated_requests',
] as const satisfies readonly (keyof UsageRowBody)[];

/** Ends the walk when its reader leaves. */
export function exportUsage(
  parts: Generator<readonly UsageRow[], void>,
  format: ExportFormat,
): ReadableStream<Uint8Array> {
  const texts = format === 'csv' ? toCsv(parts) : toJson(parts);
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const { done, value } = texts.next();
        if (done === true) controller.close();
        else controller.enqueue(Buffer.from(value));
      },
      cancel() {
        texts.return();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Lines end as RFC 4180 has it. */
function* toCsv(parts: Generator<readonly UsageRow[], void>): Generator<string, void> {
  yield `${columns.join(',')}\r\n`;
  for (const rows of parts) {
    yield rows
      .map((row) => {
        const body = describeUsageRow(row);
        return `${columns.map((column) => toCell(body[column])).join(',')}\r\n`;
      })
      .join('');
  }
}

/** An array with a row on each line. */
function* toJson(parts: Generator<readonly UsageRow[], void>): Generator<string, void> {
  let separator = '[\n';
  for (const rows of parts) {
    yield separator + rows.map((row) => JSON.stringify(describeUsageRow(row))).join(',\n');
    separator = ',\n';
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n';
}

/** Spreadsheets take a text that begins so for a formula, and names come from outside. */
const formulaStart = /^[=+\-@\t\r\n]/;

function toCell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = formulaStart.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
