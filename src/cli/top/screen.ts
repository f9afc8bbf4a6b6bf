/** The terminal itself: takes the whole screen, draws frames, hands keys out, and gives everything back. Knows no content. */
import type { TerminalIo } from '../io.ts';

export interface ScreenListener {
  /** As the terminal sent them. */
  readonly onKeys: (text: string) => void;
  readonly onResize: () => void;
  /** The terminal is gone. */
  readonly onGone: () => void;
}

export interface Screen {
  size(): { readonly columns: number; readonly rows: number };
  /** Writes the lines that have changed. Each must fit the width. */
  draw(lines: readonly string[]): void;
  /** Gives the terminal back as it was. A second time does nothing. */
  close(): void;
}

/** Alternate screen, no cursor, no wrapping of lines that are wider than was thought. */
const enter = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J';
const leave = '\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l';
const clear = '\u001b[2J';
const eraseRest = '\u001b[K';

const sizeUnknown = { columns: 80, rows: 24 };

export function openScreen(terminal: TerminalIo, listener: ScreenListener): Screen {
  const { input, output } = terminal;
  let drawn: readonly string[] = [];
  let isOpen = true;
  const write = (text: string): void => void output.write(text);
  const resized = (): void => {
    drawn = [];
    write(clear);
    listener.onResize();
  };
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    offExit();
    // Those for errors stay: a terminal that has gone may say so now.
    input.off('data', listener.onKeys).off('end', listener.onGone);
    output.off('resize', resized);
    input.setRawMode(false);
    input.pause();
    write(leave);
  };
  const offExit = terminal.onExit(close);
  input.setRawMode(true);
  input.setEncoding('utf8');
  input.on('data', listener.onKeys).on('end', listener.onGone).on('error', listener.onGone);
  output.on('resize', resized).on('error', listener.onGone);
  write(enter);
  return {
    size: () => ({
      columns: output.columns || sizeUnknown.columns,
      rows: output.rows || sizeUnknown.rows,
    }),
    draw(lines) {
      if (!isOpen) return;
      const changes = lines.flatMap((line, row) =>
        line === drawn[row] ? [] : [`\u001b[${row + 1};1H${line}${eraseRest}`],
      );
      drawn = lines;
      if (changes.length > 0) write(changes.join(''));
    },
    close,
  };
}
