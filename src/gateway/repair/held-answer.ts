/**
 * Holds an answer back until it is known whether it is an error: one with the status of an error as a whole, a stream
 * until its first event. Knows nothing of repairs.
 */
import type { AnswerStreamReader, Dialect } from '../../dialects/dialect.ts';
import type { EngineError } from '../../dialects/ir/answer.ts';
import { headerValue } from '../headers.ts';
import type { UpstreamHandler } from '../upstream.ts';

/** Errors are short. */
const bytesMax = 256 * 1024;

/** pending: more has to come. open: it is no error, or too long for one. */
export type Verdict = 'pending' | 'open' | EngineError;

export class HeldAnswer {
  readonly #status: number;
  readonly #headers: readonly string[];
  readonly #dialect: Dialect;
  readonly #reader: AnswerStreamReader;
  #chunks: { readonly chunk: Buffer; readonly isLast: boolean }[] = [];
  #bytes = 0;
  /** Of a stream, how much of it was read. */
  #bytesRead = 0;
  #verdict: Verdict = 'pending';

  constructor(status: number, headers: readonly string[], dialect: Dialect) {
    this.#status = status;
    this.#headers = headers;
    this.#dialect = dialect;
    this.#reader = dialect.createStreamReader((event) => {
      if (event.kind === 'failed') this.#verdict = event.error;
      else if (this.#verdict === 'pending') this.#verdict = 'open';
    });
  }

  /** Whether an answer could be an error of an engine that speaks the dialect. */
  static isDue(status: number, headers: readonly string[], { streamType }: Dialect): boolean {
    return status >= 400 || (headerValue(headers, 'content-type') ?? '').startsWith(streamType);
  }

  push(chunk: Buffer, isLast: boolean): Verdict {
    this.#chunks.push({ chunk, isLast });
    this.#bytes += chunk.length;
    if (this.#bytes > bytesMax) return 'open';
    if (this.#status < 400) this.#readEvents();
    return this.#verdict;
  }

  /** Nothing more comes. */
  end(): 'open' | EngineError {
    if (this.#status >= 400) return this.#dialect.readError(this.#status, this.#bytesSoFar().toString());
    return this.#verdict === 'pending' ? 'open' : this.#verdict;
  }

  /** Hands on everything that came. */
  release(handler: UpstreamHandler): void {
    handler.onHead(this.#status, this.#headers);
    for (const { chunk, isLast } of this.#chunks) handler.onData(chunk, isLast);
    this.#chunks = [];
  }

  /** One after the other, until one says something: comments do not. */
  #readEvents(): void {
    const bytes = this.#bytesSoFar();
    while (this.#verdict === 'pending') {
      const end = endOfEvent(bytes, this.#bytesRead, this.#dialect.streamType);
      if (end === -1) return;
      this.#reader.push(bytes.subarray(this.#bytesRead, end));
      this.#bytesRead = end;
    }
  }

  #bytesSoFar(): Buffer {
    const [first] = this.#chunks;
    if (this.#chunks.length === 1 && first !== undefined) return first.chunk;
    return Buffer.concat(this.#chunks.map(({ chunk }) => chunk));
  }
}

/** -1 = it has not come. */
function endOfEvent(bytes: Buffer, start: number, streamType: Dialect['streamType']): number {
  const marks = streamType === 'application/x-ndjson' ? ['\n'] : ['\n\n', '\n\r\n'];
  const ends = marks.flatMap((mark) => {
    const at = bytes.indexOf(mark, start);
    return at === -1 ? [] : [at + mark.length];
  });
  return ends.length === 0 ? -1 : Math.min(...ends);
}
