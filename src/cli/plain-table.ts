/** Tables for people whose output may be no screen: as wide as they are, without colours, and harmless for a terminal. */
import { fitTo, plainText, widthOf } from './top/text-width.ts';

const gap = '  ';

/** The titles, then one line for each row, each with its end. */
export function plainTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [titles, ...rows].map((row) => row.map(plainText));
  const widths = titles.map((_title, column) => Math.max(...lines.map((row) => widthOf(row[column] ?? ''))));
  return lines
    .map((row) => row.map((text, column) => fitTo(text, widths[column] ?? 0)).join(gap))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
