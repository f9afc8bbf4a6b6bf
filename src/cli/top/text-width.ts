/** How many columns of a terminal a text takes, and texts made harmless or fitted to a number of columns. Knows no colours. */
import { stripVTControlCharacters } from 'node:util';

/** Longest text that is looked at; no screen shows more. */
const lengthMax = 4096;

/** Marks of writing direction and joiners are among them: they move what stands beside them. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const printableAscii = /^[\x20-\x7e]*$/;
/** Blocks whose characters take two columns (Unicode's East Asian Width, W and F), and what is shown as a picture. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
const onlyMarks = /^\p{M}+$/u;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** One line without anything that a terminal would take as a command. */
export function plainText(text: string): string {
  const short = text.slice(0, lengthMax);
  if (printableAscii.test(short)) return short;
  return stripVTControlCharacters(short)
    .replaceAll(/[\t\n\v\f\r]+/g, ' ')
    .replaceAll(unprintable, '');
}

/** Columns that a plain text takes. */
export function widthOf(text: string): number {
  if (printableAscii.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** The text if it fits, else its beginning with `…` at the end. Never wider than `width`. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let cut = '';
  let used = 1;
  for (const { segment } of graphemes.segment(text)) {
    used += graphemeWidth(segment);
    if (used > width) break;
    cut += segment;
  }
  return width < 1 ? '' : `${cut}…`;
}

/** Exactly `width` columns: cut, or filled with spaces. */
export function fitTo(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const cut = cutTo(text, width);
  const filling = ' '.repeat(width - widthOf(cut));
  return align === 'left' ? cut + filling : filling + cut;
}

function graphemeWidth(grapheme: string): number {
  if (onlyMarks.test(grapheme)) return 0;
  return wide.test(grapheme) ? 2 : 1;
}
