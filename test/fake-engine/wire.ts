/**
 * One connection of a fake engine, between the socket and the HTTP server: every byte of every answer passes here, is
 * logged, and can be delayed, split, cut or falsified on its way.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';

import type { Fault } from './fault.ts';
import type { RequestEntry } from './request-log.ts';

const headBytesMax = 1024 * 1024;
const headEnd = '\r\n\r\n';

export interface WireOptions {
  readonly socket: Socket;
  /** Number of the connection. */
  readonly id: number;
  /** Asked when bytes come on a connection that had a request before; true = reset it. */
  readonly resetsReuse: () => boolean;
}

export class Wire extends Duplex {
  readonly id: number;
  requests = 0;
  readonly #socket: Socket;
  readonly #resetsReuse: () => boolean;
  #entry: RequestEntry | undefined;
  #faults: readonly Fault[] = [];
  /** Request bytes since the last answer, as far as they may be a head. */
  #received = Buffer.alloc(0);
  /** Answer bytes that are not a whole head yet; undefined once it was sent. */
  #head: Buffer | undefined = Buffer.alloc(0);
  #bodyBytes = 0;
  #events = 0;
  /** The write side is over, though the HTTP server does not know. */
  #cut = false;

  constructor({ socket, id, resetsReuse }: WireOptions) {
    super({ allowHalfOpen: true });
    this.id = id;
    this.#socket = socket;
    this.#resetsReuse = resetsReuse;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => {
      this.#noteLeaving();
      this.push(null);
    });
    socket.on('error', () => this.#noteLeaving());
    socket.on('close', () => {
      this.#noteLeaving();
      this.destroy();
    });
    socket.on('timeout', () => this.emit('timeout'));
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  /** The HTTP server ends idle connections by it. */
  setTimeout(ms: number, listener?: () => void): this {
    this.#socket.setTimeout(ms);
    if (listener) this.once('timeout', listener);
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  /** The head of the request that has just begun. */
  takeHead(): string {
    const end = this.#received.indexOf(headEnd);
    return this.#received.subarray(0, end === -1 ? undefined : end + headEnd.length).toString('latin1');
  }

  begin(entry: RequestEntry, faults: readonly Fault[]): void {
    this.requests += 1;
    this.#entry = entry;
    this.#faults = faults;
    this.#head = Buffer.alloc(0);
    this.#bodyBytes = 0;
    this.#events = 0;
  }

  finish(): void {
    this.#entry?.ended();
    this.#entry = undefined;
    this.#faults = [];
    this.#received = Buffer.alloc(0);
  }

  reset(): void {
    this.#cut = true;
    this.#socket.resetAndDestroy();
  }

  /** Past the HTTP server, straight onto the socket. */
  sendRaw(bytes: Buffer): void {
    this.#cut = true;
    this.#entry?.sent(bytes);
    this.#socket.write(bytes);
    this.#socket.end();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#send(chunk).then(
      () => done(),
      (error: unknown) => done(error as Error),
    );
  }

  override _final(done: () => void): void {
    if (this.#socket.destroyed) done();
    else this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  /** An end that was made here is none of the client's. */
  #noteLeaving(): void {
    if (!this.#cut) this.#entry?.clientLeft();
  }

  #take(chunk: Buffer): void {
    if (this.requests > 0 && this.#entry === undefined && this.#resetsReuse()) {
      this.reset();
      return;
    }
    if (this.#received.length < headBytesMax) this.#received = Buffer.concat([this.#received, chunk]);
    if (!this.push(chunk)) this.#socket.pause();
  }

  async #send(chunk: Buffer): Promise<void> {
    if (this.#cut) return;
    let body = chunk;
    if (this.#head !== undefined) {
      const all = Buffer.concat([this.#head, chunk]);
      const end = all.indexOf(headEnd);
      this.#head = end === -1 ? all : undefined;
      if (end === -1) return;
      await this.#sendHead(all.subarray(0, end + headEnd.length));
      body = all.subarray(end + headEnd.length);
      if (body.length === 0 && !this.#faults.some(dropsAtOnce)) return;
    }
    await this.#sendBody(body);
  }

  async #sendHead(head: Buffer): Promise<void> {
    let text = head.toString('latin1');
    for (const fault of this.#faults) {
      if (fault.kind === 'delayHead') await wait(fault.ms);
      if (fault.kind === 'hugeHeader')
        text = text.replace('\r\n', `\r\nX-Huge: ${'h'.repeat(fault.bytes)}\r\n`);
      if (fault.kind === 'wrongLength') {
        text = text.replace(
          /(Content-Length: )(\d+)/i,
          (_, name, length) => name + (Number(length) + fault.delta),
        );
      }
    }
    await this.#write(Buffer.from(text, 'latin1'));
  }

  async #sendBody(chunk: Buffer): Promise<void> {
    const first = this.#bodyBytes === 0;
    for (const fault of this.#faults) if (first && fault.kind === 'delayBody') await wait(fault.ms);
    const drop = this.#faults.find((fault) => fault.kind === 'drop');
    const end = drop === undefined ? undefined : this.#cutPosition(chunk, drop);
    const bytes = chunk.subarray(0, end);
    this.#bodyBytes += bytes.length;
    await this.#write(bytes);
    if (drop !== undefined && end !== undefined) this.#drop(drop.how);
  }

  /** Where in the chunk the connection breaks; undefined = not in this one. */
  #cutPosition(chunk: Buffer, drop: Extract<Fault, { kind: 'drop' }>): number | undefined {
    if ('afterBytes' in drop) {
      const left = drop.afterBytes - this.#bodyBytes;
      return left <= chunk.length ? Math.max(0, left) : undefined;
    }
    if (drop.afterEvents === 0) return 0;
    for (let at = chunk.indexOf('\n\n'); at !== -1; at = chunk.indexOf('\n\n', at + 2)) {
      this.#events += 1;
      if (this.#events === drop.afterEvents) return at + 2;
    }
    return undefined;
  }

  #drop(how: 'fin' | 'rst' | 'halfClose'): void {
    this.#cut = true;
    if (how === 'rst') this.#socket.resetAndDestroy();
    else if (how === 'halfClose') this.#socket.end();
    else this.#socket.end(() => this.#socket.destroy());
  }

  async #write(bytes: Buffer): Promise<void> {
    const pieces = split(bytes, this.#faults);
    for (const piece of pieces) {
      if (this.#socket.destroyed) return;
      this.#entry?.sent(piece);
      await new Promise<void>((resolve) => this.#socket.write(piece, () => resolve()));
      // The kernel gets every piece on its own, and the reader a chance to see it so.
      if (pieces.length > 1) await nextTurn();
    }
  }
}

function dropsAtOnce(fault: Fault): boolean {
  if (fault.kind !== 'drop') return false;
  return 'afterBytes' in fault ? fault.afterBytes === 0 : fault.afterEvents === 0;
}

function split(bytes: Buffer, faults: readonly Fault[]): Buffer[] {
  if (bytes.length === 0) return [];
  let ends: number[] = [];
  for (const fault of faults) {
    if (fault.kind === 'split') {
      const size = fault.bytes ?? 1;
      ends = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        Math.min(bytes.length, (at + 1) * size),
      );
    }
    // 0xc0 and up begin a sequence of two bytes or more.
    if (fault.kind === 'splitUtf8')
      ends = [...bytes.keys()].flatMap((at) => ((bytes[at] ?? 0) >= 0xc0 ? [at + 1] : []));
  }
  if (ends.at(-1) !== bytes.length) ends.push(bytes.length);
  return ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end));
}
