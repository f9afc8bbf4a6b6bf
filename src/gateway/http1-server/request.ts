/** A plain request as the gateway sees it. Collects its body, bounded, into memory of its size; knows no socket. */
import type { LlameroError } from '../../domain/errors.ts';
import type { ClientRequest } from '../client.ts';
import { bodyTooLarge } from '../read-body.ts';
import type { BodyMemory } from './body-memory.ts';
import type { PlainHead } from './request-head.ts';

const empty = Buffer.alloc(0);
/** A length is only what a client says: memory beyond this is taken as its bytes come. */
const trustedBytesMax = 1024 * 1024;

export class PlainRequest implements ClientRequest {
  readonly remoteAddress: string | undefined;
  readonly #head: PlainHead;
  readonly #memory: BodyMemory;
  #bytesLeft: number;
  #body: Buffer = empty;
  #filled = 0;
  /** undefined: nobody wants the body, its bytes are passed over. */
  #done: ((error: LlameroError | undefined, body: Buffer) => void) | undefined;

  constructor(head: PlainHead, remoteAddress: string | undefined, memory: BodyMemory) {
    this.#head = head;
    this.#memory = memory;
    this.remoteAddress = remoteAddress;
    this.#bytesLeft = head.bodyBytes;
  }

  get method(): string {
    return this.#head.method;
  }

  get url(): string {
    return this.#head.url;
  }

  get rawHeaders(): readonly string[] {
    return this.#head.rawHeaders;
  }

  /** As the client has declared them. */
  get bodyBytes(): number {
    return this.#head.bodyBytes;
  }

  /** All of its bytes were taken. */
  get complete(): boolean {
    return this.#bytesLeft === 0;
  }

  readBody(bytesMax: number, done: (error: LlameroError | undefined, body: Buffer) => void): void {
    const { bodyBytes } = this.#head;
    if (bodyBytes === 0) done(undefined, empty);
    else if (bodyBytes > bytesMax) done(bodyTooLarge(bodyBytes, bytesMax), empty);
    else this.#done = done;
  }

  releaseBody(): void {
    // A body that came in one piece is in memory that was read into.
    if (this.#filled > 0) this.#memory.give(this.#body);
    this.#done = undefined;
    this.#filled = 0;
    this.#body = empty;
  }

  /** Takes the bytes from `at` that belong to the body; returns the offset of the first one that does not. */
  take(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#bytesLeft);
    this.#bytesLeft -= end - at;
    const done = this.#done;
    if (done === undefined) return end;
    if (this.#filled === 0 && this.#bytesLeft === 0) this.#body = bytes.subarray(at, end);
    else this.#keep(bytes, at, end);
    if (this.#bytesLeft === 0) {
      this.#done = undefined;
      done(undefined, this.#body);
    }
    return end;
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    const filled = this.#filled + to - from;
    if (filled > this.#body.length) {
      const room = Math.max(filled, 2 * this.#body.length, trustedBytesMax);
      const grown = this.#memory.take(Math.min(this.#head.bodyBytes, room));
      this.#body.copy(grown, 0, 0, this.#filled);
      this.#memory.give(this.#body);
      this.#body = grown;
    }
    bytes.copy(this.#body, this.#filled, from, to);
    this.#filled = filled;
  }
}
