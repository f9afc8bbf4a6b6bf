/** One finished request as it is remembered: who asked for what, how it went, and where the time was spent. */
import { keptText } from '../base/kept-text.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { RequestRecord } from './request-record.ts';

/** Times are milliseconds; −1 = unknown where a count or a rate may be. */
export interface ActivityRow {
  readonly createdEpochMs: number;
  readonly requestId: string;
  /** Empty = the request named none that could be found. */
  readonly model: string;
  readonly path: string;
  readonly flow: string;
  readonly backend: string;
  readonly contentType: string;
  readonly status: number;
  readonly outcome: Outcome;
  readonly cacheTokens: number;
  readonly draftTokens: number;
  readonly draftTokensAccepted: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly promptRate: number;
  readonly outputRate: number;
  readonly durationMs: number;
  /** Waiting for a slot, the loading of the model included. */
  readonly queuedMs: number;
  /** The part of the wait in which its model was loaded. */
  readonly loadMs: number;
  /** From the slot to the first byte of the answer: mostly the prompt. */
  readonly promptMs: number;
  /** From the first byte to the last. */
  readonly generationMs: number;
  /** Empty = there was no error. */
  readonly errorMessage: string;
  readonly metadata: Readonly<Record<string, string>>;
}

const errorCharsMax = 500;

/** What only the rest of the router knows of a request. */
export interface ActivityContext {
  readonly loadMs: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Whether a finished request is remembered: calls of inference routes that were let in. */
export function isRemembered({ method, route, outcome }: RequestRecord): boolean {
  return method === 'POST' && route !== 'other' && outcome !== 'rejected_unauthorized';
}

export function toActivityRow(record: RequestRecord, { loadMs, metadata }: ActivityContext): ActivityRow {
  const { usage, timings, startedMs, queuedAtMs, grantedAtMs, firstByteAtMs } = record;
  const endMs = record.finishedAtMs ?? startedMs;
  const engineMs = (timings?.promptMs ?? 0) + (timings?.predictedMs ?? 0);
  const known = usage !== undefined && usage.cacheUnknown !== true;
  return {
    createdEpochMs: Math.round(record.startedEpochMs),
    requestId: record.id,
    model: record.model ?? record.requested ?? '',
    path: record.path,
    flow: record.flow,
    backend: record.backend ?? '',
    contentType: contentTypeOf(record.responseHeaders),
    status: record.status ?? 0,
    outcome: record.outcome ?? 'internal',
    cacheTokens: known ? usage.cachedTokens : -1,
    draftTokens: timings?.draftTokens ?? -1,
    draftTokensAccepted: timings?.draftTokensAccepted ?? -1,
    inputTokens: timings?.promptTokens ?? usage?.inputTokens ?? 0,
    outputTokens: timings?.predictedTokens ?? usage?.outputTokens ?? 0,
    promptRate: timings?.promptRate ?? -1,
    outputRate: timings?.predictedRate ?? -1,
    durationMs: Math.round(Math.max(endMs - startedMs, engineMs)),
    queuedMs: between(queuedAtMs, grantedAtMs ?? endMs),
    loadMs: Math.round(loadMs),
    promptMs: between(grantedAtMs, firstByteAtMs),
    generationMs: between(firstByteAtMs, endMs),
    errorMessage: shorten(record.errorMessage ?? ''),
    metadata,
  };
}

function contentTypeOf(headers: readonly string[] = []): string {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === 'content-type') return keptText(headers[index + 1] ?? '');
  }
  return '';
}

function shorten(text: string): string {
  return text.length > errorCharsMax ? `${text.slice(0, errorCharsMax)}...` : text;
}

function between(fromMs: number | undefined, toMs: number | undefined): number {
  return fromMs === undefined || toMs === undefined ? 0 : Math.round(toMs - fromMs);
}
