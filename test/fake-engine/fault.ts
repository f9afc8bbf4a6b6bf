/** What can be made to go wrong in a fake engine, and which requests it hits. */

interface FaultScope {
  /** Path that it hits: exact, or a beginning followed by `*`. Default: every path. */
  readonly path?: string;
  /** How many requests (or connections) it hits before it is gone; default: until `reset`. */
  readonly times?: number;
}

export type FaultKind =
  /** An answer of this kind instead of the engine's own. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** So long between the request and the first byte of its answer. */
  | { readonly kind: 'delayHead'; readonly ms: number }
  /** So long between the head of the answer and its first body byte. */
  | { readonly kind: 'delayBody'; readonly ms: number }
  /** Accepted and read, never answered. */
  | { readonly kind: 'hang' }
  /** The connection breaks after so many body bytes (framing included) or events; 0 events = right after the head. */
  | ({ readonly kind: 'drop'; readonly how: 'fin' | 'rst' | 'halfClose' } & (
      | { readonly afterBytes: number }
      | { readonly afterEvents: number }
    ))
  /** RST: when a connection is accepted, when a request was read, or when one begins on a connection that had one before. */
  | { readonly kind: 'reset'; readonly at: 'accept' | 'request' | 'reuse' }
  /** Every write in pieces of so many bytes; default 1. */
  | { readonly kind: 'split'; readonly bytes?: number }
  /** Every write is cut after the first byte of each multi-byte character. */
  | { readonly kind: 'splitUtf8' }
  /** A 200 answer whose JSON breaks off. */
  | { readonly kind: 'malformed' }
  /** After so many events an error event, then the end without an end mark. */
  | { readonly kind: 'errorFrame'; readonly afterEvents: number; readonly message?: string }
  /** After so many events this text, which is no event, then a clean end. */
  | { readonly kind: 'rawTail'; readonly afterEvents: number; readonly text?: string }
  /** The stream ends cleanly, but without `[DONE]`. */
  | { readonly kind: 'noDone' }
  /** `Content-Length` is wrong by so much. */
  | { readonly kind: 'wrongLength'; readonly delta: number }
  /** Bytes that are no HTTP, then the end. */
  | { readonly kind: 'garbage'; readonly text?: string }
  /** A header of so many bytes in the answer. */
  | { readonly kind: 'hugeHeader'; readonly bytes: number }
  /** The body of an answer in one piece is compressed. */
  | { readonly kind: 'gzip' }
  /** One digit per request, over and over: 1 = as usual, 0 = 503. */
  | { readonly kind: 'flaky'; readonly pattern: string }
  /** At once: "Loading model" for so long. */
  | { readonly kind: 'loading'; readonly ms: number }
  /** At once: nobody listens for so long. Open connections go on. */
  | { readonly kind: 'refuse'; readonly ms: number };

export type Fault = FaultKind & FaultScope;

const kinds = new Set<FaultKind['kind']>([
  'status',
  'delayHead',
  'delayBody',
  'hang',
  'drop',
  'reset',
  'split',
  'splitUtf8',
  'malformed',
  'errorFrame',
  'rawTail',
  'noDone',
  'wrongLength',
  'garbage',
  'hugeHeader',
  'gzip',
  'flaky',
  'loading',
  'refuse',
]);

/** A fault from the control API. Throws TypeError for an unknown kind. */
export function parseFault(value: unknown): Fault {
  const kind = (value as { kind?: unknown } | null)?.kind;
  if (!kinds.has(kind as FaultKind['kind'])) throw new TypeError(`unknown fault kind '${String(kind)}'`);
  return value as Fault;
}

/** The faults in force, in the order in which they were set. */
export class FaultList {
  #faults: { fault: Fault; left: number; hits: number }[] = [];

  add(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? Infinity, hits: 0 });
  }

  clear(): void {
    this.#faults = [];
  }

  /** Whether a connection is reset at its beginning; counts as one hit. */
  takesAccept(): boolean {
    return this.#take((fault) => fault.kind === 'reset' && fault.at === 'accept').length > 0;
  }

  /** Whether the next request on a used connection meets a reset; counts as one hit. */
  takesReuse(): boolean {
    return this.#take((fault) => fault.kind === 'reset' && fault.at === 'reuse').length > 0;
  }

  /** The faults that hit a request, each with the number of requests it hit before. */
  takeRequest(path: string): { readonly fault: Fault; readonly hitsBefore: number }[] {
    return this.#take((fault) => {
      const bySocket = fault.kind === 'reset' && fault.at !== 'request';
      return !bySocket && matches(fault.path ?? '*', path);
    });
  }

  #take(wanted: (fault: Fault) => boolean): { readonly fault: Fault; readonly hitsBefore: number }[] {
    const hit = this.#faults.filter(({ fault }) => wanted(fault));
    const taken = hit.map(({ fault, hits }) => ({ fault, hitsBefore: hits }));
    for (const entry of hit) {
      entry.hits += 1;
      entry.left -= 1;
    }
    this.#faults = this.#faults.filter(({ left }) => left > 0);
    return taken;
  }
}

function matches(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}
