/**
 * Incremental reader of server-sent events: bytes in any split go in, whole events come out. Memory is bounded by one
 * event. Text is decoded a whole line at a time, so no character is ever torn.
 */

export interface SseEvent {
  /** From the `event:` line; undefined = there was none. */
  readonly event: string | undefined;
  /** The `data:` lines joined with line feeds. */
  readonly data: string;
}

export interface SseReaderOptions {
  /** Called from inside `push`, in order. Comments, ids, retry times and events without data are left out. */
  readonly onEvent: (event: SseEvent) => void;
  /** Bytes of the lines of one event. Default 16 MiB. */
  readonly eventBytesMax?: number;
}

/** An event is larger than the limit; nothing more can be read from the stream. */
export class SseOverflow extends Error {
  override readonly name = 'SseOverflow';
}

const lf = 0x0a;
const cr = 0x0d;
const eventBytesMaxDefault = 16 * 1024 * 1024;

export class SseReader {
  readonly #onEvent: (event: SseEvent) => void;
  readonly #eventBytesMax: number;
  /** Pieces of the line whose end has not come. */
  #line: Buffer[] = [];
  #eventBytes = 0;
  /** The last byte was a carriage return: a line feed right after it belongs to it. */
  #afterReturn = false;
  #isFirstLine = true;
  #event: string | undefined;
  #data: string[] = [];

  constructor(options: SseReaderOptions) {
    this.#onEvent = options.onEvent;
    this.#eventBytesMax = options.eventBytesMax ?? eventBytesMaxDefault;
  }

  /** @throws SseOverflow */
  push(chunk: Buffer): void {
    let start = 0;
    if (this.#afterReturn && chunk.length > 0) {
      this.#afterReturn = false;
      if (chunk[0] === lf) start = 1;
    }
    const hasReturns = chunk.includes(cr, start);
    while (start < chunk.length) {
      const end = hasReturns ? findLineEnd(chunk, start) : chunk.indexOf(lf, start);
      if (end === -1) break;
      this.#grow(end - start);
      this.#endLine(chunk.subarray(start, end));
      start = end + 1;
      if (chunk[end] !== cr) continue;
      if (start === chunk.length) this.#afterReturn = true;
      else if (chunk[start] === lf) start += 1;
    }
    if (start >= chunk.length) return;
    this.#grow(chunk.length - start);
    this.#line.push(chunk.subarray(start));
  }

  #grow(bytes: number): void {
    this.#eventBytes += bytes;
    if (this.#eventBytes > this.#eventBytesMax) {
      throw new SseOverflow(`Event is larger than ${this.#eventBytesMax} bytes`);
    }
  }

  #endLine(lastPiece: Buffer): void {
    let line: string;
    if (this.#line.length === 0) line = lastPiece.toString('utf8');
    else {
      line = Buffer.concat([...this.#line, lastPiece]).toString('utf8');
      this.#line = [];
    }
    if (this.#isFirstLine) {
      this.#isFirstLine = false;
      if (line.startsWith('\ufeff')) line = line.slice(1);
    }
    if (line === '') this.#dispatch();
    else this.#readField(line);
  }

  #readField(line: string): void {
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#event = value;
  }

  #dispatch(): void {
    const event = this.#event;
    const data = this.#data;
    this.#event = undefined;
    this.#eventBytes = 0;
    if (data.length === 0) return;
    this.#data = [];
    this.#onEvent({ event, data: data.length === 1 ? (data[0] ?? '') : data.join('\n') });
  }
}

function findLineEnd(chunk: Buffer, from: number): number {
  for (let at = from; at < chunk.length; at += 1) {
    const byte = chunk[at];
    if (byte === lf || byte === cr) return at;
  }
  return -1;
}
