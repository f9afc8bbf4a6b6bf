/** Which headers cross the router, in both directions. Works on flat name/value lists, as node:http gives and takes them. */

import { headerList, headerText } from './header-text.ts';
import { loopHeader, signedBy } from './loop-guard.ts';

import { repairText, type RepairRecord } from '../domain/repair-record.ts';

/** RFC 9110 §7.6.1: they belong to one connection, never to the message. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Never sent on as they came: credentials are the router's business, framing is the connection's. */
const requestOnly: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'expect',
  'authorization',
  'x-api-key',
  'api-key',
  'x-llamero-cache',
  loopHeader,
]);

/** Of a request, whatever is asked for: what is not sent on, and what the router says itself. */
const neverSent: ReadonlySet<string> = new Set([...hopByHop, ...requestOnly, 'x-request-id']);

/** W3C Trace Context. */
const traceHeaders: ReadonlySet<string> = new Set(['traceparent', 'tracestate']);

/** Of answers: the router says them itself. A peer may be a router too. */
const ownHeaders = ['x-request-id', 'x-llamero-backend', 'x-llamero-attempts', 'x-llamero-cache'];
const neverAnswered: ReadonlySet<string> = new Set([...hopByHop, ...ownHeaders]);

export interface RequestHeaderOptions {
  readonly requestId: string;
  readonly apiKey: string | undefined;
  /** Of this router; see loop-guard.ts. */
  readonly signature: string;
  /** More names (lower case) that this engine must not see. */
  readonly withheld: readonly string[];
  /** Replaces the caller's trace headers: names and values alternating; undefined = those pass as they came. */
  readonly trace?: readonly string[] | undefined;
  /** True: the answer is read on the side, so the engine must not compress it. */
  readonly plain: boolean;
  /** Whether an `Expect` of the client is put to the engine as well. Default false. */
  readonly expects?: boolean;
}

/**
 * Request headers for an engine: the client's, without hop-by-hop, credentials and framing, with the backend's own key in
 * both places where servers look for one.
 */
export function toRequestHeaders(received: readonly string[], options: RequestHeaderOptions): string[] {
  const named = connectionNamed(received);
  const kept: string[] = [];
  for (let index = 0; index + 1 < received.length; index += 2) {
    const name = received[index] ?? '';
    const lower = name.toLowerCase();
    if (neverSent.has(lower) && !(options.expects === true && lower === 'expect')) continue;
    if (options.plain && lower === 'accept-encoding') continue;
    if (options.trace !== undefined && traceHeaders.has(lower)) continue;
    if (options.withheld.includes(lower) || named?.has(lower) === true) continue;
    kept.push(name, received[index + 1] ?? '');
  }
  kept.push('x-request-id', options.requestId, loopHeader, signedBy(received, options.signature));
  if (options.trace !== undefined) kept.push(...options.trace);
  if (options.apiKey !== undefined)
    kept.push('authorization', `Bearer ${options.apiKey}`, 'x-api-key', options.apiKey);
  return kept;
}

export interface ResponseHeaderOptions {
  readonly requestId: string;
  /** undefined: none has answered. */
  readonly backend: string | undefined;
  /** Value of `x-llamero-attempts`; undefined when the first attempt answered. */
  readonly attempts: string | undefined;
  /** What the engine could not be told of the request. */
  readonly dropped: readonly string[];
  /** What was changed in the request or the answer. */
  readonly repaired: readonly RepairRecord[];
  /** The answer tells the limits of the caller's key: those of the engine are not the caller's. */
  readonly limitsTold?: boolean;
}

const limitHeader = /^(?:x|anthropic)-ratelimit-/;

/** Response headers for a client: the engine's, without hop-by-hop, with the router's own. Proxies before it are asked not to hold streams back. */
export function toResponseHeaders(received: readonly string[], options: ResponseHeaderOptions): string[] {
  const named = connectionNamed(received);
  const kept: string[] = [];
  let isStream = false;
  let isBuffered = true;
  for (let index = 0; index + 1 < received.length; index += 2) {
    const name = received[index] ?? '';
    const value = received[index + 1] ?? '';
    const lower = name.toLowerCase();
    if (neverAnswered.has(lower) || named?.has(lower) === true) continue;
    if (options.limitsTold === true && limitHeader.test(lower)) continue;
    if (lower === 'content-type') isStream ||= value.startsWith('text/event-stream');
    if (lower === 'x-accel-buffering') isBuffered = false;
    kept.push(name, value);
  }
  if (isStream && isBuffered) kept.push('x-accel-buffering', 'no');
  kept.push('x-request-id', options.requestId);
  if (options.backend !== undefined) kept.push('x-llamero-backend', headerText(options.backend));
  if (options.attempts !== undefined) kept.push('x-llamero-attempts', options.attempts);
  if (options.dropped.length > 0) kept.push('x-llamero-dropped', headerList(options.dropped));
  pushRepaired(kept, options.repaired);
  return kept;
}

/** What an answer has only because of the form that its body came in. */
const bodyHeaders: ReadonlySet<string> = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'cache-control',
  'x-accel-buffering',
  // What is known by now.
  'x-llamero-repaired',
]);

export interface TransformedBody {
  readonly contentType: string;
  /** Of a whole answer; undefined = it is a stream. */
  readonly bytes: number | undefined;
  readonly repaired: readonly RepairRecord[];
}

/** Headers that are ready for the client, for a body that is not the engine's own. */
export function toTransformedHeaders(
  headers: readonly string[],
  { contentType, bytes, repaired }: TransformedBody,
): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (!bodyHeaders.has(name.toLowerCase())) kept.push(name, headers[index + 1] ?? '');
  }
  pushRepaired(kept, repaired);
  kept.push('content-type', contentType);
  if (bytes === undefined) kept.push('cache-control', 'no-cache', 'x-accel-buffering', 'no');
  else kept.push('content-length', String(bytes));
  return kept;
}

function pushRepaired(headers: string[], repaired: readonly RepairRecord[]): void {
  if (repaired.length > 0) headers.push('x-llamero-repaired', repaired.map(repairText).join(', '));
}

/** First value of a header in a flat list; `name` in lower case. */
export function headerValue(headers: readonly string[], name: string): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const found = headers[index] ?? '';
    if (found.length === name.length && found.toLowerCase() === name) return headers[index + 1];
  }
  return undefined;
}

/** Bytes of the body, where the headers tell. */
export function bodyBytes(headers: readonly string[]): number | undefined {
  const value = headerValue(headers, 'content-length');
  return value === undefined ? undefined : Number(value);
}

/** The headers without those of a name; `name` in lower case. */
export function withoutHeader(headers: readonly string[], name: string): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() !== name) kept.push(headers[index] ?? '', headers[index + 1] ?? '');
  }
  return kept;
}

/** Names that `Connection` headers declare to be hop-by-hop; undefined where they say no more than keep-alive or close. */
function connectionNamed(headers: readonly string[]): ReadonlySet<string> | undefined {
  let named: Set<string> | undefined;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (name.length !== 'connection'.length || name.toLowerCase() !== 'connection') continue;
    const value = (headers[index + 1] ?? '').toLowerCase();
    if (value === 'keep-alive' || value === 'close') continue;
    named ??= new Set();
    for (const token of value.split(',')) named.add(token.trim());
  }
  return named;
}
