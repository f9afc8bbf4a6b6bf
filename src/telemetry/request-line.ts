/** The one line of a finished request in the log. Bodies of requests and answers are never in it, nor anything that is secret. */
import type { Outcome } from '../domain/outcome.ts';
import { repairText } from '../domain/repair-record.ts';
import type { FinishedRequest } from './finished-request.ts';
import type { Log } from './log.ts';

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
  readonly msg: 'request';
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
    msg: 'request',
  };
}

/** Writes the line of a request: our own faults as errors, faults of backends as warnings, everything else as information. */
export function createRequestLog<Request extends FinishedRequest>(
  log: Pick<Log, 'writeLine'>,
  traceIdOf: (request: Request) => string | undefined = () => undefined,
): (request: Request) => void {
  return (request) => log.writeLine(levelOf(request), () => requestLine(request, traceIdOf(request)));
}

function levelOf({ outcome }: FinishedRequest): 'error' | 'warn' | 'info' {
  if (outcome === 'internal') return 'error';
  return outcome?.startsWith('failed_') === true ? 'warn' : 'info';
}

function between(fromMs: number | undefined, toMs: number | undefined): number | undefined {
  return fromMs === undefined || toMs === undefined ? undefined : Math.round(toMs - fromMs);
}
