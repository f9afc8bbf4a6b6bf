/**
 * The answer to one plain request: turns what the gateway says into bytes, one piece of memory and one write for each
 * call where it is not large. Whose turn it is on the connection is the connection's business.
 */
import type { ClientResponse } from '../client.ts';
import { withoutHeader } from '../headers.ts';
import { formatAnswerHead, type AnswerFraming } from './response-head.ts';

/** What an answer tells its connection, and where its bytes go. */
export interface AnswerOwner {
  /** False: the client reads slower than that. */
  send(response: PlainResponse, pieces: readonly Buffer[]): boolean;
  needsDrain(response: PlainResponse): boolean;
  /** Its last byte was sent. */
  answered(response: PlainResponse): void;
  breakOff(response: PlainResponse, flushMsMax: number): void;
}

/** Larger pieces go out as they are, beside their frame. */
const joinedBytesMax = 16 * 1024;
const none: readonly string[] = [];

export class PlainResponse implements ClientResponse {
  /** The connection ends with this answer. */
  readonly closes: boolean;
  statusCode = 200;
  headersSent = false;
  writableEnded = false;
  readonly #owner: AnswerOwner;
  readonly #keepAliveS: number;
  #added: readonly string[] = none;
  /** Goes out with the first bytes of the body, so that they make one write. */
  #head = '';
  #framing: AnswerFraming = 'chunked';
  #onDrain: (() => void) | undefined;
  #onLeft: (() => void) | undefined;

  constructor(
    owner: AnswerOwner,
    { closes, keepAliveS }: { readonly closes: boolean; readonly keepAliveS: number },
  ) {
    this.#owner = owner;
    this.closes = closes;
    this.#keepAliveS = keepAliveS;
  }

  get writableNeedDrain(): boolean {
    return this.#owner.needsDrain(this);
  }

  setHeader(name: string, value: string): void {
    const others = this.#added.length === 0 ? this.#added : withoutHeader(this.#added, name.toLowerCase());
    this.#added = [...others, name, value];
  }

  writeHead(status: number, headers: readonly string[]): void {
    const { text, framing } = formatAnswerHead({
      status,
      headers: this.#added.length === 0 ? headers : [...headers, ...this.#added],
      closes: this.closes,
      keepAliveS: this.#keepAliveS,
    });
    this.statusCode = status;
    this.headersSent = true;
    this.#head = text;
    this.#framing = framing;
  }

  write(chunk: Buffer | string): boolean {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    return bytes.length === 0 || this.#send(bytes, false);
  }

  end(chunk?: Buffer | string): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.writableEnded = true;
    this.#send(bytes, true);
    this.#owner.answered(this);
  }

  breakOff(flushMsMax: number): void {
    this.#owner.breakOff(this, flushMsMax);
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  onLeft(listener: () => void): void {
    this.#onLeft = listener;
  }

  /** The connection takes more. */
  drained(): void {
    const listener = this.#onDrain;
    this.#onDrain = undefined;
    listener?.();
  }

  /** The connection is gone. */
  left(): void {
    const listener = this.#onLeft;
    this.#onLeft = undefined;
    listener?.();
  }

  #send(chunk: Buffer | undefined, isLast: boolean): boolean {
    if (!this.headersSent) this.writeHead(this.statusCode, none);
    const hasBody = chunk !== undefined && chunk.length > 0 && this.#framing !== 'none';
    const isChunk = hasBody && this.#framing === 'chunked';
    const last = isLast && this.#framing === 'chunked' ? '0\r\n\r\n' : '';
    const before = isChunk ? `${this.#head}${chunk.length.toString(16)}\r\n` : this.#head;
    const after = isChunk ? `\r\n${last}` : last;
    this.#head = '';
    return this.#owner.send(this, framed(before, hasBody ? chunk : undefined, after));
  }
}

function framed(before: string, chunk: Buffer | undefined, after: string): Buffer[] {
  const size = chunk?.length ?? 0;
  if (chunk !== undefined && size > joinedBytesMax) {
    const pieces = [chunk];
    if (before !== '') pieces.unshift(Buffer.from(before, 'latin1'));
    if (after !== '') pieces.push(Buffer.from(after, 'latin1'));
    return pieces;
  }
  if (chunk !== undefined && before === '' && after === '') return [chunk];
  const joined = Buffer.allocUnsafe(before.length + size + after.length);
  joined.write(before, 0, 'latin1');
  chunk?.copy(joined, before.length);
  if (after !== '') joined.write(after, before.length + size, 'latin1');
  return joined.length === 0 ? [] : [joined];
}
