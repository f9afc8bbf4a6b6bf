/**
 * Lines of the log for people. What came from outside (names of models, words of engines) can neither look like a line of
 * its own nor command the terminal. Decides nothing of what is logged.
 */
import { prettyFactory } from 'pino-pretty';

/** Shown by no terminal, but obeyed by some: single-byte commands, ends of lines and marks of writing direction. */
const misleading = /[\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
const controls = /\p{Cc}/gu;

export interface ReadableOptions {
  readonly colorize: boolean;
  /** The time in a form of the user's own, shown as it is; undefined = hours to milliseconds. */
  readonly timeText: () => string | undefined;
}

/** Makes a readable line of one in JSON. */
export function readableLines({ colorize, timeText }: ReadableOptions): (line: string) => string | undefined {
  const shared = {
    colorize,
    singleLine: true,
    messageFormat(record: Readonly<Record<string, unknown>>, key: string) {
      const message = record[key];
      return typeof message === 'string' ? message.replaceAll(controls, escape) : '';
    },
  };
  const usual = prettyFactory({ ...shared, translateTime: 'SYS:HH:MM:ss.l' });
  const asWritten = prettyFactory({ ...shared, translateTime: false });
  return (line) => {
    const plain = line.replaceAll(misleading, (character) => `\\${escape(character)}`);
    return (timeText() === undefined ? usual : asWritten)(plain);
  };
}

/** As in JSON. */
function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
