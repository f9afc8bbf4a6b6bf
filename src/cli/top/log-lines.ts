/** The router's and the models' output as lines for the screen: pieces joined to lines, records made readable. */
import { plainText } from './text-width.ts';
import type { LogSource } from './router-client.ts';
import type { Style } from './paint.ts';

export interface LogLine {
  readonly source: LogSource;
  readonly text: string;
  readonly style: Style | undefined;
}

/** Longest beginning of an unfinished line that is kept. */
const restLengthMax = 64 * 1024;

/** Joins the pieces of one stream; returns the lines that a piece completes. */
export function createLineJoiner(source: LogSource): (piece: string) => LogLine[] {
  let rest = '';
  return (piece) => {
    const lines = (rest + piece).split('\n');
    rest = (lines.pop() ?? '').slice(0, restLengthMax);
    return lines.filter((line) => line.trim() !== '').map((line) => readLogLine(line, source));
  };
}

/** A record of the router's log becomes `TIME LEVEL MESSAGE key=value …`, in local time; other lines stay as they are. */
export function readLogLine(line: string, source: LogSource): LogLine {
  const record = source === 'proxy' ? tryParseRecord(line) : undefined;
  if (record === undefined) return { source, text: plainText(line), style: undefined };
  const { time, level, msg, ...facts } = record;
  const words = Object.entries(facts).map(([key, value]) => `${key}=${wordOf(value)}`);
  const clock = new Date(String(time)).toTimeString().slice(0, 8);
  const text = [clock, wordOf(level).padEnd(5), wordOf(msg), ...words].join(' ');
  return { source, text: plainText(text), style: styleOfLevel(level) };
}

function tryParseRecord(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const record = JSON.parse(line) as Record<string, unknown>;
    return 'msg' in record && 'level' in record ? record : undefined;
  } catch {
    return undefined;
  }
}

function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function styleOfLevel(level: unknown): Style | undefined {
  if (level === 'error' || level === 'fatal') return 'bad';
  return level === 'warn' ? 'warn' : undefined;
}
