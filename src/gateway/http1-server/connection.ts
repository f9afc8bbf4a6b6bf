/**
 * One client connection while it carries plain requests: finds their heads and bodies, gives their answers their turn,
 * notices silence and leaving. The first byte that is not plain passes on, with the socket, to whoever handles the rest.
 */
import type { Socket } from 'node:net';
import type { ClientResponse } from '../client.ts';
import type { BodyMemory } from './body-memory.ts';
import { tryParsePlainHead, type PlainHead } from './request-head.ts';
import { PlainRequest } from './request.ts';
import { PlainResponse, type AnswerOwner } from './response.ts';
import { Turns } from './turns.ts';

/** What a connection asks and tells the server that accepted it. */
export interface ConnectionOwner {
  /** Longer heads are not plain, bytes. */
  headBytesMax(): number;
  /** Whether a request for this target is answered here. */
  takes(url: string): boolean;
  /** Whether connections end with their next answer. */
  closing(): boolean;
  request(request: PlainRequest, response: ClientResponse): void;
  /** Takes the socket over, whose next bytes are not plain; no answer is under way on it. */
  handOver(connection: ClientConnection, socket: Socket): void;
  closed(connection: ClientConnection): void;
  readonly bodyMemory: BodyMemory;
}

/** Limits of time, milliseconds; up to two ticks late, never early. */
export interface TimeLimits {
  /** For the first byte of a connection. */
  readonly firstByteMs: number;
  readonly wholeRequestMs: number;
  /** Between an answer and the next request. */
  readonly idleMs: number;
}

const headEnd = Buffer.from('\r\n\r\n');
/** Requests of one connection that may be answered at a time. */
const pipelinedMax = 32;
/** Bytes that wait to be read before the client has to wait. */
const waitingBytesMax = 64 * 1024;

/** How long a client that was too slow gets to read that it was. */
const refusalMsMax = 10_000;

export class ClientConnection implements AnswerOwner {
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #keepAliveS: number;
  /** Bytes from `#at` are not read yet. */
  #input: Buffer | undefined;
  #at = 0;
  #advancing = false;
  readonly #turns: Turns;
  /** Its body is still coming. */
  #reading: PlainRequest | undefined;
  #served = false;
  #closing = false;
  #ticks = 0;
  /** How long the last bytes of a closing connection may take. */
  #flushMsMax = Number.POSITIVE_INFINITY;

  readonly #onData = (bytes: Buffer): void => this.#data(bytes);
  readonly #onDrain = (): void => this.#turns.first?.drained();
  readonly #onEnd = (): void => this.#left();
  /** What is to be done follows with `close`. */
  readonly #onError = (): void => {};
  readonly #onClose = (): void => this.#closed();

  constructor(socket: Socket, owner: ConnectionOwner, options: { readonly keepAliveS: number }) {
    this.#socket = socket;
    this.#owner = owner;
    this.#turns = new Turns(socket);
    this.#keepAliveS = options.keepAliveS;
    socket.on('data', this.#onData).on('drain', this.#onDrain).on('end', this.#onEnd);
    socket.on('error', this.#onError).on('close', this.#onClose);
  }

  /** An answer is under way, or not sent to its end. */
  get isAnswering(): boolean {
    return this.#turns.size > 0 || this.#socket.writableLength > 0;
  }

  /** Between two requests. */
  get isIdle(): boolean {
    return !this.isAnswering && this.#input === undefined && this.#reading === undefined;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  send(response: PlainResponse, pieces: readonly Buffer[]): boolean {
    return this.#turns.send(response, pieces);
  }

  needsDrain(response: PlainResponse): boolean {
    return this.#turns.needsDrain(response);
  }

  answered(response: PlainResponse): void {
    if (response !== this.#turns.first) return;
    this.#ticks = 0;
    if (this.#turns.next()) this.#close();
    else this.#advance();
  }

  breakOff(response: PlainResponse, flushMsMax: number): void {
    if (response !== this.#turns.first) {
      this.#socket.destroy();
      return;
    }
    this.#turns.dropFirst();
    this.#flushMsMax = flushMsMax;
    this.#close();
  }

  /** Another `tickMs` have passed. Returns whether it has been too long for its client to send a request, which is to be told so. */
  tick(tickMs: number, limits: TimeLimits): 'slow' | undefined {
    // The first tick can come at once, so n whole ticks are sure only after n + 1.
    const quietMs = this.#ticks * tickMs;
    this.#ticks += 1;
    if (this.#closing) {
      if (quietMs >= this.#flushMsMax) this.#socket.destroy();
    } else if (this.#reading !== undefined) {
      if (quietMs >= limits.wholeRequestMs) return this.#giveUp();
    } else if (this.isIdle) {
      if (!this.#served && quietMs >= limits.firstByteMs) return this.#giveUp();
      if (this.#served && quietMs >= limits.idleMs) this.#socket.destroy();
    }
    return undefined;
  }

  #data(bytes: Buffer): void {
    // One that was turned away can write on until its socket is closed.
    if (this.#closing || !this.#socket.writable) return;
    this.#input = this.#input === undefined ? bytes : Buffer.concat([this.#input.subarray(this.#at), bytes]);
    this.#at = 0;
    this.#advance();
  }

  /** Reads as far as it can. Not entered again by an answer that comes at once. */
  #advance(): void {
    if (this.#advancing || this.#input === undefined) return;
    this.#advancing = true;
    let input: Buffer | undefined = this.#input;
    while (input !== undefined && !this.#closing && this.#step(input)) {
      if (this.#at === input.length) this.#input = undefined;
      input = this.#input;
    }
    this.#advancing = false;
    if (this.#closing) return;
    const waiting = this.#input === undefined ? 0 : this.#input.length - this.#at;
    if (waiting > waitingBytesMax) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** Reads one head, or what is there of a body. False: it has to wait. */
  #step(input: Buffer): boolean {
    const reading = this.#reading;
    if (reading !== undefined) {
      this.#at = reading.take(input, this.#at);
      if (reading.complete && this.#reading === reading) this.#reading = undefined;
      return true;
    }
    if (this.#turns.size === pipelinedMax) return false;
    const end = input.indexOf(headEnd, this.#at);
    const isWhole = end !== -1 && end - this.#at <= this.#owner.headBytesMax();
    const head = isWhole ? tryParsePlainHead(input.toString('latin1', this.#at, end)) : undefined;
    if (head === undefined || !this.#owner.takes(head.url)) {
      this.#handleRest(input);
      return false;
    }
    this.#at = end + headEnd.length;
    this.#begin(head);
    return true;
  }

  #begin(head: PlainHead): void {
    const request = new PlainRequest(head, this.#socket.remoteAddress, this.#owner.bodyMemory);
    const closes = head.closes || this.#owner.closing();
    const response = new PlainResponse(this, { closes, keepAliveS: this.#keepAliveS });
    this.#turns.add(response);
    this.#ticks = 0;
    this.#served = true;
    if (head.bodyBytes > 0) this.#reading = request;
    this.#owner.request(request, response);
  }

  /** What is not plain waits until the answers before it are out. */
  #handleRest(input: Buffer): void {
    if (this.#turns.size > 0) {
      if (isNoRequest(input, this.#at)) this.#socket.destroy();
      return;
    }
    const rest = input.subarray(this.#at);
    this.#input = undefined;
    this.#release();
    this.#socket.unshift(rest);
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#owner.handOver(this, this.#socket);
  }

  #release(): void {
    this.#closing = true;
    const socket = this.#socket;
    socket.off('data', this.#onData).off('drain', this.#onDrain).off('end', this.#onEnd);
    socket.off('error', this.#onError).off('close', this.#onClose);
  }

  /** What was written still goes out. */
  #close(): void {
    this.#closing = true;
    this.#ticks = 0;
    this.#turns.leave();
    this.#socket.destroySoon();
  }

  /** Its request does not come. Where an answer has begun, another one would look like a part of it. */
  #giveUp(): 'slow' | undefined {
    const { first, size } = this.#turns;
    if (first?.headersSent === true || size > 1) {
      this.#socket.destroy();
      return undefined;
    }
    this.#closing = true;
    this.#ticks = 0;
    this.#flushMsMax = refusalMsMax;
    return 'slow';
  }

  /** The client ended its side, which for HTTP clients means that they have left. */
  #left(): void {
    this.#closing = true;
    this.#turns.leave();
    this.#socket.end();
  }

  #closed(): void {
    this.#closing = true;
    this.#turns.leave();
    this.#owner.closed(this);
  }
}

const requestLinePattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [^ ]+ HTTP\/1\.[01]$/;

/** The bytes have a first line, and it is none of a request. */
function isNoRequest(input: Buffer, at: number): boolean {
  const end = input.indexOf('\r\n', at);
  return end !== -1 && !requestLinePattern.test(input.toString('latin1', at, end));
}
