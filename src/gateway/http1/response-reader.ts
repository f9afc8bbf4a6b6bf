/**
 * Incremental reader of one HTTP/1 response: finds the head, skips interim ones, removes the transfer coding. It is
 * pulled one piece at a time, so that its owner can stop between two pieces of one read. Owns no socket and no timer.
 */
import { HeadFault, parseResponseHead } from './response-head.ts';
import type { ResponseHead } from './response-head.ts';

export interface ResponseSink {
  /** An interim head, before the final one: 100 says that the request's body is wanted. */
  interim?(status: number): void;
  /** The final head. Called once. */
  head(head: ResponseHead): void;
  /** A piece of body, never empty; a view into the bytes given to `read`. */
  body(piece: Buffer): void;
}

export interface ResponseReaderOptions {
  readonly method: string;
  /** Take 101 as the final head, after which the bytes belong to another protocol. Default: 101 is a fault. */
  readonly upgrade?: boolean;
}

const headBytesMax = 64 * 1024;
const interimHeadsMax = 32;
/** Chunk sizes with extensions, and trailers, are discarded; nothing sensible is longer. */
const chunkLineBytesMax = 4 * 1024;
const trailerBytesMax = 16 * 1024;
/** 13 hexadecimal digits are below 2^53. */
const sizeDigitsMax = 13;
const headEnd = Buffer.from('\r\n\r\n');
const cr = 0x0d;
const lf = 0x0a;

type ReaderState =
  | 'head'
  | 'length'
  | 'close'
  | 'chunk-size'
  | 'chunk-extension'
  | 'chunk-size-lf'
  | 'chunk-data'
  | 'chunk-data-cr'
  | 'chunk-data-lf'
  | 'trailer'
  | 'trailer-lf'
  | 'done'
  | 'fault';

export class ResponseReader {
  readonly #method: string;
  readonly #upgrade: boolean;
  #state: ReaderState = 'head';
  #fault: string | undefined;
  /** Bytes of an incomplete head; `#headFilled` of them are valid. */
  #headBytes: Buffer | undefined;
  #headFilled = 0;
  #interimHeads = 0;
  /** Bytes of body that the length or the chunk still owes. */
  #bytesLeft = 0;
  #digits = 0;
  #lineBytes = 0;
  #trailerBytes = 0;

  constructor(options: ResponseReaderOptions) {
    this.#method = options.method;
    this.#upgrade = options.upgrade ?? false;
  }

  /** The response is complete; bytes after the returned offset are not part of it. */
  get done(): boolean {
    return this.#state === 'done';
  }

  /** Why the bytes are no valid response; undefined = none so far. After a fault nothing is read any more. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /**
   * Reads from `offset` until one call of the sink was made, the response is complete or faulty, or the bytes are used
   * up. Returns the offset of the first byte not read.
   */
  read(bytes: Buffer, offset: number, sink: ResponseSink): number {
    let at = offset;
    while (at < bytes.length) {
      switch (this.#state) {
        case 'head': {
          const { next, head } = this.#readHead(bytes, at, sink);
          at = next;
          if (head === undefined) break;
          sink.head(head);
          return at;
        }
        case 'length':
        case 'chunk-data': {
          const end = Math.min(bytes.length, at + this.#bytesLeft);
          this.#bytesLeft -= end - at;
          if (this.#bytesLeft === 0) this.#state = this.#state === 'length' ? 'done' : 'chunk-data-cr';
          sink.body(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
          return end;
        }
        case 'close':
          sink.body(at === 0 ? bytes : bytes.subarray(at));
          return bytes.length;
        case 'done':
        case 'fault':
          return at;
        case 'chunk-size':
        case 'chunk-extension':
        case 'chunk-size-lf':
        case 'chunk-data-cr':
        case 'chunk-data-lf':
        case 'trailer':
        case 'trailer-lf':
          this.#readChunkControl(bytes[at] ?? 0);
          at += 1;
      }
    }
    return at;
  }

  /** The connection ended. Returns whether that is the proper end of this response. */
  end(): boolean {
    if (this.#state === 'close') this.#state = 'done';
    return this.#state === 'done';
  }

  #readHead(bytes: Buffer, at: number, sink: ResponseSink): { next: number; head?: ResponseHead } {
    const { text, next } = this.#collectHead(bytes, at);
    if (text === undefined) return { next };
    try {
      const head = parseResponseHead(text, this.#method);
      if (head.status < 200 && !(head.status === 101 && this.#upgrade)) {
        this.#skipInterim(head.status);
        if (this.#fault === undefined) sink.interim?.(head.status);
        return { next };
      }
      this.#bytesLeft = head.length;
      this.#state =
        head.framing === 'none' ? 'done' : head.framing === 'chunked' ? 'chunk-size' : head.framing;
      return { next, head };
    } catch (thrown) {
      if (!(thrown instanceof HeadFault)) throw thrown;
      this.#fail(thrown.message);
      return { next };
    }
  }

  /** Text of the head once its end is there; until then the bytes are kept. */
  #collectHead(bytes: Buffer, at: number): { text: string | undefined; next: number } {
    if (this.#headFilled === 0) {
      const end = bytes.indexOf(headEnd, at);
      if (end !== -1) {
        if (end - at > headBytesMax) this.#fail('head too large');
        else return { text: bytes.toString('latin1', at, end), next: end + 4 };
        return { text: undefined, next: bytes.length };
      }
    }
    const before = this.#headFilled;
    const taken = Math.min(bytes.length - at, headBytesMax + 4 - before);
    const kept = growTo(this.#headBytes, before, before + taken);
    bytes.copy(kept, before, at, at + taken);
    this.#headBytes = kept;
    this.#headFilled = before + taken;
    const end = kept.subarray(0, this.#headFilled).indexOf(headEnd, Math.max(0, before - 3));
    if (end !== -1) {
      this.#headFilled = 0;
      return { text: kept.toString('latin1', 0, end), next: at + end + 4 - before };
    }
    if (this.#headFilled >= headBytesMax + 4) this.#fail('head too large');
    return { text: undefined, next: at + taken };
  }

  #skipInterim(status: number): void {
    this.#interimHeads += 1;
    if (status === 101) this.#fail('unexpected switch of protocols');
    else if (this.#interimHeads > interimHeadsMax) this.#fail('too many interim answers');
  }

  #readChunkControl(byte: number): void {
    switch (this.#state) {
      case 'chunk-size':
        this.#readSizeByte(byte);
        break;
      case 'chunk-extension':
        this.#lineBytes += 1;
        if (byte === cr) this.#state = 'chunk-size-lf';
        else if (byte === lf || this.#lineBytes > chunkLineBytesMax) this.#fail('bad chunk extension');
        break;
      case 'chunk-size-lf':
        this.#endSizeLine(byte);
        break;
      case 'chunk-data-cr':
        if (byte === cr) this.#state = 'chunk-data-lf';
        else this.#fail('chunk longer than its size');
        break;
      case 'chunk-data-lf':
        if (byte === lf) this.#state = 'chunk-size';
        else this.#fail('chunk longer than its size');
        break;
      case 'trailer':
        this.#trailerBytes += 1;
        if (byte === cr) this.#state = 'trailer-lf';
        else if (byte === lf || this.#trailerBytes > trailerBytesMax) this.#fail('bad trailer');
        else this.#lineBytes += 1;
        break;
      case 'trailer-lf':
        if (byte !== lf) this.#fail('bad trailer');
        else this.#state = this.#lineBytes === 0 ? 'done' : 'trailer';
        this.#lineBytes = 0;
        break;
      case 'head':
      case 'length':
      case 'close':
      case 'chunk-data':
      case 'done':
      case 'fault':
    }
  }

  #readSizeByte(byte: number): void {
    const digit = hexDigit(byte);
    if (digit !== -1) {
      this.#digits += 1;
      if (this.#digits > sizeDigitsMax) this.#fail('bad chunk size');
      else this.#bytesLeft = this.#bytesLeft * 16 + digit;
    } else if (this.#digits === 0) this.#fail('bad chunk size');
    else if (byte === cr) this.#state = 'chunk-size-lf';
    else if (byte === 0x3b || byte === 0x20 || byte === 0x09) this.#state = 'chunk-extension';
    else this.#fail('bad chunk size');
  }

  #endSizeLine(byte: number): void {
    if (byte !== lf) this.#fail('bad chunk size');
    else this.#state = this.#bytesLeft === 0 ? 'trailer' : 'chunk-data';
    this.#digits = 0;
    this.#lineBytes = 0;
  }

  #fail(reason: string): void {
    this.#state = 'fault';
    this.#fault = reason;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** A buffer of at least `size` bytes that begins with the first `filled` of the old one; doubling keeps the copies few. */
function growTo(old: Buffer | undefined, filled: number, size: number): Buffer {
  if (old !== undefined && old.length >= size) return old;
  const grown = Buffer.allocUnsafe(Math.max(1024, (old?.length ?? 0) * 2, size));
  if (old !== undefined) old.copy(grown, 0, 0, filled);
  return grown;
}
