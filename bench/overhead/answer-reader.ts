/**
 * Reads HTTP/1.1 answers off a socket, cheaply: status, length, end. Bodies are counted, not kept. Handles
 * Content-Length and chunked, at every split of the bytes; throws on anything else.
 */

export interface AnswerListener {
  onBody(bytes: number): void;
  onEnd(answer: { status: number; bodyBytes: number; closes: boolean }): void;
}

const headEnd = Buffer.from('\r\n\r\n');
const headBytesMax = 16_384;

export class AnswerReader {
  readonly #listener: AnswerListener;
  #pending: Buffer | undefined;
  #state: 'head' | 'length' | 'chunk-size' | 'chunk-data' | 'trailer' = 'head';
  #status = 0;
  #closes = false;
  #bodyBytes = 0;
  /** Bytes of the body, or of the chunk and its line end, that are still to come. */
  #left = 0;

  constructor(listener: AnswerListener) {
    this.#listener = listener;
  }

  /** True between two answers. */
  get idle(): boolean {
    return this.#state === 'head' && this.#pending === undefined;
  }

  push(received: Buffer): void {
    let data = received;
    if (this.#pending !== undefined) {
      data = Buffer.concat([this.#pending, received]);
      this.#pending = undefined;
    }
    let at = 0;
    while (at < data.length) {
      const next = this.#step(data, at);
      if (next === undefined) {
        this.#pending = data.subarray(at);
        return;
      }
      at = next;
    }
  }

  /** Consumes one piece from `at`; undefined = it needs more bytes. */
  #step(data: Buffer, at: number): number | undefined {
    switch (this.#state) {
      case 'head':
        return this.#readHead(data, at);
      case 'length':
        return this.#readLength(data, at);
      case 'chunk-size':
        return this.#readChunkSize(data, at);
      case 'chunk-data':
        return this.#readChunkData(data, at);
      case 'trailer': {
        const end = data.indexOf('\r\n', at);
        if (end < 0) return undefined;
        if (end === at) this.#finish();
        return end + 2;
      }
    }
  }

  #readHead(data: Buffer, at: number): number | undefined {
    const end = data.indexOf(headEnd, at);
    if (end < 0) {
      if (data.length - at > headBytesMax) throw new Error('the head of the answer never ends');
      return undefined;
    }
    const head = data.toString('latin1', at, end);
    if (!/^HTTP\/1\.1 \d{3}/.test(head)) throw new Error(`not an HTTP/1.1 answer: ${head.slice(0, 40)}`);
    this.#status = Number(head.slice(9, 12));
    if (this.#status < 200) return end + 4;
    this.#closes = /\r\nconnection: *close/i.test(head);
    this.#bodyBytes = 0;
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    if (length !== null) {
      this.#left = Number(length[1]);
      this.#state = 'length';
      if (this.#left === 0) this.#finish();
    } else if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      this.#state = 'chunk-size';
    } else throw new Error(`an answer ${this.#status} without a length`);
    return end + 4;
  }

  #readLength(data: Buffer, at: number): number {
    const taken = Math.min(this.#left, data.length - at);
    this.#left -= taken;
    this.#count(taken);
    if (this.#left === 0) this.#finish();
    return at + taken;
  }

  #readChunkSize(data: Buffer, at: number): number | undefined {
    const end = data.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const size = Number.parseInt(data.toString('latin1', at, end), 16);
    if (!Number.isFinite(size)) throw new Error('a chunk without a size');
    this.#left = size + 2;
    this.#state = size === 0 ? 'trailer' : 'chunk-data';
    return end + 2;
  }

  #readChunkData(data: Buffer, at: number): number {
    const taken = Math.min(this.#left, data.length - at);
    // The last two of them are the line end, not body.
    this.#count(Math.max(0, Math.min(taken, this.#left - 2)));
    this.#left -= taken;
    if (this.#left === 0) this.#state = 'chunk-size';
    return at + taken;
  }

  #count(bytes: number): void {
    if (bytes === 0) return;
    this.#bodyBytes += bytes;
    this.#listener.onBody(bytes);
  }

  #finish(): void {
    this.#state = 'head';
    this.#listener.onEnd({ status: this.#status, bodyBytes: this.#bodyBytes, closes: this.#closes });
  }
}
