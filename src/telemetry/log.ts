/** The router's own log: how it is written, and what is kept out of it. */
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import { LogLines, logFile } from './log-lines.ts';
import { createIsoTime, tryFormatLogTime } from './log-time.ts';
import { readableLines } from './readable-log.ts';

export interface LogOptions {
  readonly config: Config['log'];
  /** Whether stderr is a terminal: what `auto` looks at. */
  readonly terminal: boolean;
  /** llama-swap's name of the form of times, asked for each line; default, and for names that are none: ISO 8601. */
  readonly timeFormat?: () => string;
  /** Where lines go; default stderr. */
  readonly destination?: DestinationStream;
  /** Gets each line as JSON, too. */
  readonly keep?: (line: string) => void;
}

/** One for the whole process, as stderr is. */
let stderrLines: LogLines | undefined;

/**
 * The default destination. On a terminal each line is there before the next thing happens; elsewhere they are written many
 * at a time, the last ones at the end of the process. pino's own destination for that never returns from the end of a
 * process whose disk is full.
 */
export function stderrDestination(terminal: boolean): DestinationStream {
  if (terminal) return pino.destination({ fd: 2, sync: true });
  if (stderrLines === undefined) {
    const lines = new LogLines(logFile(2));
    process.once('exit', () => lines.flush());
    stderrLines = lines;
  }
  return stderrLines;
}

export interface Log {
  /** Its level can be changed while running: set `level`. */
  readonly logger: Logger;
  /**
   * For what is told with every request: nobody looks for secrets in it, which costs many times as much as the line.
   * `members` are asked for only where lines of the level are written.
   */
  writeLine(level: 'error' | 'warn' | 'info', members: () => { readonly msg: string }): void;
}

export function createLog({ config, terminal, timeFormat = () => '', destination, keep }: LogOptions): Log {
  const isoTime = createIsoTime();
  const timeText = (): string | undefined => {
    const format = timeFormat();
    return format === '' ? undefined : tryFormatLogTime(format, new Date());
  };
  const timestamp = (): string => `,"time":"${timeText() ?? isoTime(Date.now())}"`;
  const options = {
    level: config.level,
    base: null,
    timestamp,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: secretPaths, censor: '[redacted]' },
  };
  const readable = config.format === 'pretty' || (config.format === 'auto' && terminal);
  const output = destination ?? stderrDestination(terminal);
  const toText = readable ? readableLines({ colorize: terminal, timeText }) : undefined;
  const write = (line: string): void => {
    keep?.(line);
    output.write(toText?.(line) ?? line);
  };
  const logger = pino(options, { write });
  if (output instanceof LogLines) {
    output.onResume((lines) => logger.warn({ lines }, 'Lines of the log could not be written and are lost'));
  }
  return {
    logger,
    writeLine(level, members) {
      if (!logger.isLevelEnabled(level)) return;
      write(`{"level":"${level}"${timestamp()},${JSON.stringify(members()).slice(1)}\n`);
    },
  };
}

/** Lines that could not be written; 0 for a destination that does not count them. */
export function lostLines(destination: DestinationStream): number {
  return destination instanceof LogLines ? destination.lost : 0;
}

const keyFields = ['authorization', '["x-api-key"]', '["api-key"]', 'apiKey', 'apiKeys', 'cookie'];
/** Where the APIs that clients speak have what a person wrote. */
const promptFields = ['messages', 'prompt', 'input', 'system', 'instructions', 'content', 'body'];

/** Fields that hold secrets, at the depths at which request headers, bodies and configuration trees are logged. */
const secretPaths = [...keyFields, ...promptFields].flatMap((field) =>
  ['', '*', '*.*', '*.*.*'].map((depth) => {
    if (depth === '') return field;
    return field.startsWith('[') ? `${depth}${field}` : `${depth}.${field}`;
  }),
);
