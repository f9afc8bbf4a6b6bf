/** Styles of text on the screen, and how a terminal is told them. Decides nothing about who gets which. */

export type Style = 'strong' | 'faint' | 'good' | 'busy' | 'warn' | 'bad' | 'selected';

/** Text as it is written to the terminal. Its width does not change. */
export type Paint = (text: string, style: Style | undefined) => string;

const codes: Readonly<Record<Style, number>> = {
  strong: 1,
  faint: 2,
  good: 32,
  busy: 36,
  warn: 33,
  bad: 31,
  selected: 7,
};

export const ansiPaint: Paint = (text, style) =>
  style === undefined || text === '' ? text : `\u001b[${codes[style]}m${text}\u001b[0m`;

/** For files, pipes, and people who asked for no colours (`NO_COLOR`). */
export const plainPaint: Paint = (text) => text;
