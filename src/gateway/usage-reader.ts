/**
 * Reads token counts, timings and the proper end of an answer on the side. While chunks pass it only keeps their first and
 * last bytes; everything else happens once, at the end. Never touches what is relayed.
 */
import type { RouteName } from '../domain/routes.ts';
import type { EngineTimings, TokenUsage } from '../store/request-record.ts';
import { TailBuffer } from '../base/tail-buffer.ts';
import { findOllamaUsage } from './ollama-usage.ts';
import { readStreamEnd } from './stream-end.ts';
import { findMetrics, findTimings, findUsage, usageOfTimings } from './usage-numbers.ts';

export interface UsageReaderOptions {
  readonly route: RouteName;
  /** The answer is a stream of events or lines; else one JSON document or something opaque. */
  readonly stream: boolean;
  /** Chat and completion streams of this engine end with `[DONE]` (see EngineKind.endsWithDone). */
  readonly doneRequired: boolean;
}

export interface UsageResult {
  /** undefined = the engine gave no numbers and there was nothing to count. */
  readonly usage: TokenUsage | undefined;
  readonly timings: EngineTimings | undefined;
  /** The stream has its end mark and no error; always true for what is no stream: there the framing tells. */
  readonly complete: boolean;
  /** The error that the engine reported inside the stream. */
  readonly streamError: string | undefined;
}

export interface UsageReader {
  /** Copies at most the last 4 or 16 KB; the only chunk of an answer is kept as it is. */
  push(chunk: Buffer): void;
  /** Call it once, after the last chunk, also when the answer broke off. */
  finish(): UsageResult;
}

/** Holds Anthropic's first event, and the usage of an embeddings answer, which comes before the data. */
const headBytes = 4 * 1024;
/** The last event of some APIs repeats the whole answer or its request, and documents have all kinds of ends. */
const tailBytesUsual = 16 * 1024;
/** Streams of these routes end with a few small events. They are the ones that are open by the thousand. */
const tailBytesOfSmallEnds = 4 * 1024;
const routesWithSmallEnds: ReadonlySet<RouteName> = new Set(['chat-completions', 'completions', 'messages']);
const empty = Buffer.alloc(0);

export function createUsageReader(options: UsageReaderOptions): UsageReader {
  return new SideReader(options);
}

class SideReader implements UsageReader {
  readonly #route: RouteName;
  readonly #stream: boolean;
  readonly #doneRequired: boolean;
  /** The first chunk, as long as it is the only one. */
  #only: Buffer | undefined;
  #head: Buffer | undefined;
  readonly #tailBytes: number;
  readonly #tail: TailBuffer;
  #totalBytes = 0;

  constructor(options: UsageReaderOptions) {
    this.#route = options.route;
    this.#stream = options.stream;
    this.#doneRequired = options.doneRequired;
    const endsSmall = options.stream && routesWithSmallEnds.has(options.route);
    this.#tailBytes = endsSmall ? tailBytesOfSmallEnds : tailBytesUsual;
    this.#tail = new TailBuffer(this.#tailBytes);
  }

  push(chunk: Buffer): void {
    const isFirst = this.#totalBytes === 0;
    this.#totalBytes += chunk.length;
    if (isFirst) {
      this.#only = chunk;
      return;
    }
    if (this.#only !== undefined) {
      this.#keep(this.#only);
      this.#only = undefined;
    }
    this.#keep(chunk);
  }

  finish(): UsageResult {
    const head = this.#only?.subarray(0, headBytes) ?? this.#head ?? empty;
    const tail = this.#only?.subarray(-this.#tailBytes) ?? this.#tail.bytes();
    if (this.#route.startsWith('ollama-')) return this.#finishOllama(tail);
    const told = findTimings(tail);
    const usage = this.#usage(head, tail) ?? (told === undefined ? undefined : usageOfTimings(told));
    const timings = told ?? (usage === undefined ? undefined : findMetrics(tail, usage));
    if (!this.#stream) return { usage, timings, complete: true, streamError: undefined };
    const { complete, error } = readStreamEnd({
      route: this.#route,
      tail,
      hasUsage: usage !== undefined,
      doneRequired: this.#doneRequired,
    });
    return { usage: usage ?? this.#estimate(tail), timings, complete, streamError: error };
  }

  #finishOllama(tail: Buffer): UsageResult {
    const { usage, timings } = findOllamaUsage(tail);
    if (!this.#stream) return { usage, timings, complete: true, streamError: undefined };
    const end = readStreamEnd({
      route: this.#route,
      tail,
      hasUsage: usage !== undefined,
      doneRequired: true,
    });
    return { usage, timings, complete: end.complete, streamError: end.error };
  }

  #keep(chunk: Buffer): void {
    this.#tail.push(chunk);
    // Nobody looks at the head of other streams.
    if (this.#stream && this.#route !== 'messages') return;
    const head = this.#head ?? empty;
    if (head.length < headBytes) {
      this.#head = Buffer.concat([head, chunk.subarray(0, headBytes - head.length)]);
    }
  }

  #usage(head: Buffer, tail: Buffer): TokenUsage | undefined {
    const last = findUsage(tail);
    if (this.#stream && this.#route === 'messages') {
      // The first event counts the input, the last one the output.
      const first = findUsage(head, 'start');
      if (first === undefined || last === undefined) return last ?? first;
      if (last.inputTokens > 0) return last;
      const { outputTokens, reasoningTokens } = last;
      return { ...first, outputTokens, ...(reasoningTokens !== undefined && { reasoningTokens }) };
    }
    return last ?? (this.#stream ? undefined : findUsage(head, 'start'));
  }

  /** About one token an event, as dense in the whole stream as in its last bytes. */
  #estimate(tail: Buffer): TokenUsage | undefined {
    if (tail.length === 0) return undefined;
    let events = 0;
    for (let at = tail.indexOf('\ndata:'); at !== -1; at = tail.indexOf('\ndata:', at + 1)) events += 1;
    if (tail.length === this.#totalBytes && tail.indexOf('data:') === 0) events += 1;
    const outputTokens = Math.round((events * this.#totalBytes) / tail.length);
    return { inputTokens: 0, outputTokens, cachedTokens: 0, estimated: true };
  }
}
