/**
 * Incremental reader of lines (NDJSON and the like): bytes in any split go in, whole lines come out. Memory is bounded by
 * one line. Text is decoded a whole line at a time, so no character is ever torn.
 */

export interface LineReaderOptions {
  /** Called from inside `push` and `end`, in order, without the line's end (LF or CRLF). Empty lines are left out. */
  readonly onLine: (line: string) => void;
  /** Bytes of one line. Default 16 MiB. */
  readonly lineBytesMax?: number;
}

/** A line is longer than the limit; nothing more can be read from the stream. */
export class LineOverflow extends Error {
  override readonly name = 'LineOverflow';
}

const lf = 0x0a;
const lineBytesMaxDefault = 16 * 1024 * 1024;

export class LineReader {
  readonly #onLine: (line: string) => void;
  readonly #lineBytesMax: number;
  /** Pieces of the line whose end has not come. */
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor({ onLine, lineBytesMax = lineBytesMaxDefault }: LineReaderOptions) {
    this.#onLine = onLine;
    this.#lineBytesMax = lineBytesMax;
  }

  /** @throws LineOverflow */
  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(lf); end !== -1; end = chunk.indexOf(lf, start)) {
      this.#add(chunk.subarray(start, end));
      start = end + 1;
      this.#flush();
    }
    if (start < chunk.length) this.#add(chunk.subarray(start));
  }

  /** The last line may come without its end. */
  end(): void {
    this.#flush();
  }

  #add(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes > this.#lineBytesMax) {
      throw new LineOverflow(`Line is longer than ${this.#lineBytesMax} bytes`);
    }
    this.#pieces.push(piece);
  }

  #flush(): void {
    const [first] = this.#pieces;
    if (first === undefined) return;
    const bytes = this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    const line = bytes.toString('utf8');
    const text = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (text !== '') this.#onLine(text);
  }
}
