/**
 * The router's own log: how it is written, what is kept out of it, and the one line per finished request. Bodies of
 * requests and answers never go there.
 */
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import type { Outcome } from '../domain/outcome.ts';
import { repairText } from '../domain/repair-record.ts';
import type { FinishedRequest } from './finished-request.ts';
import { LogLines, logFile } from './log-lines.ts';
import { tryFormatLogTime } from './log-time.ts';
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

/** The level can be changed while running: set `level`. */
export function createLog({
  config,
  terminal,
  timeFormat = () => '',
  destination,
  keep,
}: LogOptions): Logger {
  const timeText = (): string | undefined => tryFormatLogTime(timeFormat(), new Date());
  const options = {
    level: config.level,
    base: null,
    timestamp: () => {
      const text = timeText();
      return text === undefined ? pino.stdTimeFunctions.isoTime() : `,"time":${JSON.stringify(text)}`;
    },
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: secretPaths, censor: '[redacted]' },
  };
  const readable = config.format === 'pretty' || (config.format === 'auto' && terminal);
  const output = destination ?? stderrDestination(terminal);
  const toText = readable ? readableLines({ colorize: terminal, timeText }) : undefined;
  const isPlain = toText === undefined && keep === undefined;
  const log = pino(
    options,
    isPlain
      ? output
      : {
          write(line) {
            keep?.(line);
            output.write(toText?.(line) ?? line);
          },
        },
  );
  if (output instanceof LogLines) {
    output.onResume((lines) => log.warn({ lines }, 'Lines of the log could not be written and are lost'));
  }
  return log;
}

/** Lines that could not be written; 0 for a destination that does not count them. */
export function lostLines(destination: DestinationStream): number {
  return destination instanceof LogLines ? destination.lost : 0;
}

/** What the access log says of a request. Durations are whole milliseconds; what never happened is left out. */
export interface RequestLine {
  readonly requestId: string;
  /** undefined = it is not traced. */
  readonly traceId: string | undefined;
  readonly route: string;
  readonly method: string;
  readonly path: string;
  readonly flow: string;
  /** Id of the request that it is part of, and what it is for there. */
  readonly parent: string | undefined;
  readonly purpose: string | undefined;
  readonly model: string | undefined;
  readonly backend: string | undefined;
  readonly stream: boolean;
  readonly status: number | undefined;
  readonly outcome: Outcome | undefined;
  readonly code: string | undefined;
  /** Reading the body and finding the model. */
  readonly readMs: number | undefined;
  /** Waiting for a slot, all attempts before the last one included. */
  readonly queuedMs: number | undefined;
  /** From the slot to the engine's status line; when nothing is streamed, most engines send that with the answer. */
  readonly headMs: number | undefined;
  /** From the arrival to the first byte of the answer. */
  readonly firstByteMs: number | undefined;
  /** From that byte to the end. */
  readonly answerMs: number | undefined;
  readonly totalMs: number | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly tokensIn: number | undefined;
  readonly tokensOut: number | undefined;
  readonly tokensCached: number | undefined;
  readonly tokensReasoning: number | undefined;
  /** `exact`, `semantic`, `miss` or `bypass`. */
  readonly cache: string | undefined;
  /** `trimContext(12)`, one for each thing that was put right. */
  readonly repaired: readonly string[] | undefined;
  /** `gpu-1: ECONNREFUSED`, one for each backend that failed it. */
  readonly failedAttempts: readonly string[] | undefined;
}

/** The line as an object, without writing it. */
export function requestLine(request: FinishedRequest, traceId?: string): RequestLine {
  const { usage, startedMs, queuedAtMs, grantedAtMs, headAtMs, finishedAtMs } = request;
  const failed = request.attempts.filter(({ failure }) => failure !== undefined);
  return {
    requestId: request.id,
    traceId,
    route: request.route,
    method: request.method,
    path: request.path,
    flow: request.flow,
    parent: request.parent?.id,
    purpose: request.parent?.purpose,
    model: request.model,
    backend: request.backend,
    stream: request.stream,
    status: request.status,
    outcome: request.outcome,
    code: request.errorCode,
    readMs: between(startedMs, queuedAtMs),
    queuedMs: between(queuedAtMs, grantedAtMs ?? finishedAtMs),
    headMs: between(grantedAtMs, headAtMs),
    firstByteMs: between(startedMs, request.firstByteAtMs),
    answerMs: between(request.firstByteAtMs, finishedAtMs),
    totalMs: between(startedMs, finishedAtMs),
    bytesIn: request.bytesIn,
    bytesOut: request.bytesOut,
    tokensIn: usage?.inputTokens,
    tokensOut: usage?.outputTokens,
    tokensCached: usage?.cachedTokens,
    tokensReasoning: usage?.reasoningTokens,
    cache: request.cache?.result,
    repaired: request.repairs.length === 0 ? undefined : request.repairs.map(repairText),
    failedAttempts:
      failed.length === 0 ? undefined : failed.map(({ backend, failure }) => `${backend}: ${failure}`),
  };
}

/** Writes the line of a request: our own faults as errors, faults of backends as warnings, everything else as information. */
export function createRequestLog<Request extends FinishedRequest>(
  log: Logger,
  traceIdOf: (request: Request) => string | undefined = () => undefined,
): (request: Request) => void {
  // None of its fields can hold a secret, and to look for some costs ten times as much as the line.
  const lines = log.child({}, { redact: [], level: 'trace' });
  return (request) => {
    const level = levelOf(request);
    if (log.isLevelEnabled(level)) lines[level](requestLine(request, traceIdOf(request)), 'request');
  };
}

function levelOf({ outcome }: FinishedRequest): 'error' | 'warn' | 'info' {
  if (outcome === 'internal') return 'error';
  return outcome?.startsWith('failed_') === true ? 'warn' : 'info';
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

function between(fromMs: number | undefined, toMs: number | undefined): number | undefined {
  return fromMs === undefined || toMs === undefined ? undefined : Math.round(toMs - fromMs);
}
