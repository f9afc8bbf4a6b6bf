/**
 * The answer to a request of the router's own: takes what the life of a request writes to a client, and hands it to
 * whoever reads. Holds a bounded part of a body that nobody has read yet; knows no socket.
 */
import { LlameroError } from '../../domain/errors.ts';
import type { ClientResponse } from '../client.ts';
import { withoutHeader } from '../headers.ts';

export interface InnerHead {
  readonly status: number;
  /** Names and values alternating. */
  readonly headers: readonly string[];
}

/** Bytes that wait to be read before the engine has to wait. */
const waitingBytesMax = 64 * 1024;
const nothing = (): void => {};

/** Iterates over the body, once; leaving that loop is leaving the request. */
export class InnerResponse implements ClientResponse, AsyncIterable<Buffer> {
  statusCode = 200;
  headersSent = false;
  writableEnded = false;
  /** Rejects with the reason of `leave`, where that comes first. */
  readonly head: Promise<InnerHead>;
  readonly #head = Promise.withResolvers<InnerHead>();
  #added: readonly string[] = [];
  #chunks: Buffer[] = [];
  #waitingBytes = 0;
  /** Nothing more will be written. */
  #closed = false;
  /** Why the body has no proper end; undefined: it has, or is not over. */
  #failure: { readonly reason: unknown } | undefined;
  #onDrain = nothing;
  #onLeft = nothing;
  #onClosed = nothing;
  /** Tells the reader, who waits, that there is something. */
  #wake = nothing;

  constructor() {
    this.head = this.#head.promise;
    // Who reads the body alone learns of it there.
    this.head.catch(nothing);
  }

  get writableNeedDrain(): boolean {
    return this.#waitingBytes > waitingBytesMax;
  }

  setHeader(name: string, value: string): void {
    this.#added = [...withoutHeader(this.#added, name.toLowerCase()), name, value];
  }

  writeHead(status: number, headers: readonly string[]): void {
    this.statusCode = status;
    this.headersSent = true;
    this.#head.resolve({ status, headers: [...headers, ...this.#added] });
  }

  write(chunk: Buffer | string): boolean {
    if (this.#closed || chunk.length === 0) return true;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.#chunks.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#wake();
    return !this.writableNeedDrain;
  }

  end(chunk?: Buffer | string): void {
    if (!this.headersSent) this.writeHead(this.statusCode, []);
    if (chunk !== undefined) this.write(chunk);
    this.writableEnded = true;
    this.#close(undefined);
  }

  breakOff(): void {
    this.#close({ reason: new LlameroError('backend_protocol', 'The answer broke off') });
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  onLeft(listener: () => void): void {
    this.#onLeft = listener;
  }

  /** Calls the one listener when nothing more will be written, for whatever reason. */
  onClosed(listener: () => void): void {
    this.#onClosed = listener;
  }

  /** The reader wants no more of it. Does nothing once the answer has ended. */
  leave(reason: unknown): void {
    if (this.#closed) return;
    this.#chunks = [];
    this.#waitingBytes = 0;
    this.#close({ reason });
    this.#head.reject(reason);
    this.#onLeft();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    try {
      for (;;) {
        const chunk = this.#take();
        if (chunk !== undefined) yield chunk;
        else if (!this.#closed) await this.#more();
        else if (this.#failure === undefined) return;
        else throw this.#failure.reason;
      }
    } finally {
      this.leave(new LlameroError('client_closed', 'Nobody reads the answer any more'));
    }
  }

  #take(): Buffer | undefined {
    const wasFull = this.writableNeedDrain;
    const chunk = this.#chunks.shift();
    this.#waitingBytes -= chunk?.length ?? 0;
    if (wasFull && !this.writableNeedDrain) {
      const listener = this.#onDrain;
      this.#onDrain = nothing;
      listener();
    }
    return chunk;
  }

  async #more(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
  }

  #close(failure: { readonly reason: unknown } | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#failure = failure;
    this.#onClosed();
    this.#wake();
  }
}
