/** Tables in columns of a terminal: which columns fit, how wide each is, and their lines. Knows nothing of what is in them. */
import type { Paint, Style } from './paint.ts';
import { fitTo, widthOf } from './text-width.ts';

export interface Cell {
  readonly text: string;
  readonly style?: Style | undefined;
}

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Cell;
  readonly align?: 'left' | 'right';
  /** Where there is too little room, the column with the highest goes first; the first of a table never goes. */
  readonly rank: number;
  /** Columns it can be shrunk to; default: as wide as its widest cell. */
  readonly widthMin?: number;
}

export interface TableOptions<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** Columns of the terminal; may be Infinity. */
  readonly width: number;
  readonly isSelected: (row: Row) => boolean;
  /** The keys act on this table. */
  readonly isFocused: boolean;
  readonly paint: Paint;
}

const gap = '  ';
const mark = '> ';
const noMark = '  ';

/** The line of titles, then one line for each row. */
export function renderTable<Row>(options: TableOptions<Row>): string[] {
  const { rows, width, isFocused, paint } = options;
  const placed = placeColumns(options.columns, rows, width - mark.length);
  const titles = placed.map(({ column, width: room }) => fitTo(column.title, room, column.align)).join(gap);
  const lines = [paint((isFocused ? mark : noMark) + titles.trimEnd(), isFocused ? 'strong' : 'faint')];
  for (const row of rows) {
    const cells = placed.map(({ column, width: room }) => {
      const { text, style } = column.cell(row);
      return { text: fitTo(text, room, column.align), style };
    });
    if (options.isSelected(row)) {
      lines.push(paint((mark + cells.map(({ text }) => text).join(gap)).trimEnd(), 'selected'));
    } else {
      lines.push((noMark + cells.map(({ text, style }) => paint(text, style)).join(gap)).trimEnd());
    }
  }
  return lines;
}

interface Placed<Row> {
  readonly column: Column<Row>;
  readonly width: number;
}

/** Drops columns until the rest fits at its least width, then gives what is left over from left to right. */
function placeColumns<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): Placed<Row>[] {
  let sized = columns.map((column) => {
    const natural = Math.max(widthOf(column.title), ...rows.map((row) => widthOf(column.cell(row).text)));
    return { column, natural, least: Math.min(natural, column.widthMin ?? natural) };
  });
  const needed = () => sized.reduce((sum, { least }) => sum + least + gap.length, -gap.length);
  while (needed() > width && sized.length > 1) {
    const highest = Math.max(...sized.slice(1).map(({ column }) => column.rank));
    sized = sized.filter(({ column }, index) => index === 0 || column.rank !== highest);
  }
  let left = width - needed();
  return sized.map(({ column, natural, least }) => {
    // Less than none is left where the first column alone is too wide.
    const more = Math.min(natural - least, left);
    left -= more;
    return { column, width: Math.max(0, least + more) };
  });
}
