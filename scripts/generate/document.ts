/** What a generated file is, and how Markdown tables are written. */

export interface GeneratedDocument {
  /** From the project's root. */
  readonly path: string;
  /** The whole file, with a final line end. */
  readonly render: () => string;
}

export const generatedNote =
  '<!-- Written by `npm run generate` from the sources. Change those, not this file. -->';

/** A Markdown table; cells may hold Markdown, except line ends. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
