/** W3C Trace Context: reads and writes `traceparent` and `tracestate`. Strict, because what comes in is a client's. */
import { randomBytes } from 'node:crypto';

/** Where a span hangs: its trace and itself. */
export interface SpanContext {
  /** 32 hexadecimal digits, lower case, not all 0. */
  readonly traceId: string;
  /** 16 hexadecimal digits, lower case, not all 0. */
  readonly spanId: string;
  readonly sampled: boolean;
  /** As received, when it was valid; '' = none. */
  readonly traceState: string;
}

const parentPattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const memberPattern =
  /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const stateMembersMax = 32;
const stateCharsMax = 512;

/** The span that a caller hangs its request below; undefined = none, or not valid. Headers: names and values alternating. */
export function tryParseContext(headers: readonly string[]): SpanContext | undefined {
  let parent: string | undefined;
  let parents = 0;
  const states: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index]?.toLowerCase();
    if (name === 'traceparent') {
      parent = headers[index + 1];
      parents += 1;
    } else if (name === 'tracestate') states.push(headers[index + 1] ?? '');
  }
  const match = parents === 1 ? parentPattern.exec(parent ?? '') : null;
  if (match === null) return undefined;
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match;
  // A later version may say more; this one must not.
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const sampled = (Number.parseInt(flags, 16) & 1) === 1;
  return { traceId, spanId, sampled, traceState: validState(states.join(',')) };
}

/** The two headers for whoever is asked next, names and values alternating. */
export function contextHeaders({ traceId, spanId, sampled, traceState }: SpanContext): string[] {
  const parent = ['traceparent', `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`];
  return traceState === '' ? parent : [...parent, 'tracestate', traceState];
}

export function newTraceId(): string {
  return randomBytes(16).toString('hex');
}

export function newSpanId(): string {
  return randomBytes(8).toString('hex');
}

/** '' when a single member is wrong: a part of it would say something else. */
function validState(text: string): string {
  if (text.length > stateCharsMax) return '';
  const members = text
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
  const keys = new Set(members.map((member) => member.slice(0, member.indexOf('='))));
  const isValid = members.length <= stateMembersMax && keys.size === members.length;
  return isValid && members.every((member) => memberPattern.test(member)) ? members.join(',') : '';
}
