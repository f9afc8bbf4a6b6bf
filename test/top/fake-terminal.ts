/** A terminal without a terminal: keys are put in, what is written is kept. */
import { PassThrough } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import type { TerminalIo } from '../../src/cli/io.ts';

export interface FakeTerminal {
  readonly io: TerminalIo;
  /** Everything written so far. */
  written(): string;
  isRaw(): boolean;
  /** Listeners for the end of the program. */
  readonly exitListeners: Set<() => void>;
  press(keys: string): void;
  resize(columns: number, rows: number): void;
  /** Hangs up. */
  leave(): void;
}

export function createFakeTerminal(columns = 80, rows = 24): FakeTerminal {
  let raw = false;
  let text = '';
  const input = Object.assign(new PassThrough(), {
    setRawMode(mode: boolean) {
      raw = mode;
      return input;
    },
  });
  const output = Object.assign(new PassThrough(), { columns, rows });
  output.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const exitListeners = new Set<() => void>();
  return {
    io: {
      input: input as unknown as ReadStream,
      output: output as unknown as WriteStream,
      onExit(listener) {
        exitListeners.add(listener);
        return () => void exitListeners.delete(listener);
      },
    },
    written: () => text,
    isRaw: () => raw,
    exitListeners,
    press: (keys) => void input.write(keys),
    resize(newColumns, newRows) {
      Object.assign(output, { columns: newColumns, rows: newRows });
      output.emit('resize');
    },
    leave: () => void input.end(),
  };
}
