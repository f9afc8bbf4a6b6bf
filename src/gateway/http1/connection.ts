/**
 * One socket to an engine and at most one exchange on it. Owns the socket's events, the order of what the handler hears
 * and the limits of silence. Whether and where to use it next is the pool's decision.
 */
import type { Socket } from 'node:net';
import { holdWrites } from '../../base/held-writes.ts';
import type { UpstreamFailureKind } from '../upstream.ts';
import type { Dial, DialTarget } from './dial.ts';
import type { Exchange } from './exchange.ts';
import type { ResponseHead } from './response-head.ts';
import { bytesOf } from './request-head.ts';
import { ResponseReader } from './response-reader.ts';
import type { ResponseSink } from './response-reader.ts';

/** What a connection tells its pool. */
export interface ConnectionOwner {
  /** Its exchange is over and the socket may carry another one. Called before the handler's `onEnd`. */
  connectionIdle(connection: Connection): void;
  /** The socket is closed. Called exactly once. */
  connectionClosed(connection: Connection): void;
  /** The exchange found its reused socket closed by the engine; it must go out once more on a new one. */
  repeat(exchange: Exchange): void;
}

export interface ConnectionOptions {
  readonly target: DialTarget;
  readonly dial: Dial;
  readonly owner: ConnectionOwner;
  /** Length of the ticks that `tick` reports, in milliseconds. */
  readonly tickMs: number;
}

/** Below this, head and body go out as one buffer; above, as they are. */
const joinedBytesMax = 16 * 1024;
/** A larger body goes out in steps of so many bytes, so that a slow engine is not taken for a silent one. */
const stepBytesMax = 1024 * 1024;

export class Connection implements ResponseSink {
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #tickMs: number;
  #connected = false;
  /** The engine ended its side; bytes from before may still be held back by a pause. */
  #ended = false;
  #errorCode: string | undefined;
  #exchange: Exchange | undefined;
  #reader = new ResponseReader({ method: 'GET' });
  #head: ResponseHead | undefined;
  #sent = false;
  /** The head is out and asked whether the body is wanted. */
  #holdsBody = false;
  /** The engine answered without having wanted the body: it owes the engine one, so nothing else can follow. */
  #owesBody = false;
  #received = false;
  /** It has brought a whole answer: the engine may have closed it since. */
  #hasAnswered = false;
  /** Whole ticks without a byte. Counted, not read from a clock, so that a stalled process does not time out its engines. */
  #quietTicks = 0;
  #backlog: Buffer | undefined;

  constructor(options: ConnectionOptions) {
    this.#owner = options.owner;
    this.#tickMs = options.tickMs;
    const socket = options.dial(options.target, {
      onReady: () => this.#ready(),
      onBytes: (bytes) => this.#data(bytes),
    });
    this.#socket = socket;
    socket.on('end', () => this.#end());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#errorCode ??= error.code ?? error.message;
    });
    socket.on('close', () => this.#close());
  }

  /** False from the moment the socket is being closed, which is a little before the pool hears of it. */
  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** The engine's idle limit from its last answer, milliseconds. */
  get keepAliveMs(): number | undefined {
    return this.#head?.keepAliveMs;
  }

  /** Takes the exchange, at once when connected, else when the socket is ready. Only on an idle or new connection. */
  start(exchange: Exchange): void {
    this.#exchange = exchange;
    exchange.connection = this;
    this.#quietTicks = 0;
    this.#sent = false;
    this.#holdsBody = false;
    this.#received = false;
    this.#head = undefined;
    this.#reader = new ResponseReader({ method: exchange.request.method });
    if (this.#connected) this.#write(exchange);
  }

  /** Follows `exchange.paused`. */
  applyPause(): void {
    this.#quietTicks = 0;
    if (this.#exchange?.paused === true) {
      this.#socket.pause();
      return;
    }
    // Delivered from a turn of its own: a handler that resumes from inside onData must not be entered again.
    if (this.#backlog !== undefined || this.#ended) process.nextTick(() => this.#deliverBacklog());
    else this.#socket.resume();
  }

  /** Closes the socket at once; a running exchange is told nothing. */
  destroy(): void {
    this.#drop();
    this.#socket.destroy();
  }

  /** Closes the socket; a running exchange fails with a reset and is not repeated. */
  close(): void {
    if (this.#exchange !== undefined) this.#exchange.repeated = true;
    this.#errorCode ??= 'closed by the router';
    this.#socket.destroy();
  }

  /** One tick passed: fails an exchange that has been silent for longer than its target allows. */
  tick(): void {
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.paused) return;
    this.#quietTicks += 1;
    const { target } = exchange;
    if (!this.#connected) {
      if (this.#isOver(target.connectTimeoutMs)) this.#fail('connect', 'connect timeout');
    } else if (this.#holdsBody) {
      if (this.#isOver(target.continueWaitMs ?? 0)) this.#sendHeldBody(exchange);
    } else if (!this.#received) {
      if (this.#isOver(target.firstByteTimeoutMs)) this.#fail('timeout', 'first byte timeout');
    } else if (this.#isOver(target.idleTimeoutMs)) this.#fail('timeout', 'idle timeout');
  }

  interim(status: number): void {
    const exchange = this.#exchange;
    if (status !== 100 || exchange === undefined || !this.#holdsBody) return;
    // The answer is yet to come, but whoever spoke is alive and may begin with the body: it must not get it twice.
    this.#received = false;
    exchange.repeated = true;
    this.#sendHeldBody(exchange);
  }

  head(head: ResponseHead): void {
    this.#head = head;
    this.#received = true;
    if (this.#holdsBody) {
      this.#holdsBody = false;
      this.#owesBody = true;
      this.#exchange?.handler.onSent?.();
    }
    this.#exchange?.handler.onHead(head.status, head.headers);
  }

  body(piece: Buffer): void {
    this.#exchange?.handler.onData(piece, this.#reader.done);
  }

  /** The first tick can come at once, so n whole ticks are sure only after n + 1. 0 = no limit. */
  #isOver(limitMs: number): boolean {
    return limitMs > 0 && (this.#quietTicks - 1) * this.#tickMs >= limitMs;
  }

  #ready(): void {
    this.#connected = true;
    this.#quietTicks = 0;
    if (this.#exchange !== undefined) this.#write(this.#exchange);
  }

  #write(exchange: Exchange): void {
    const { head } = exchange;
    const { body = [] } = exchange.request;
    const bytes = bytesOf(body);
    this.#sent = true;
    this.#holdsBody = exchange.asksFirst;
    holdWrites(this.#socket);
    if (exchange.asksFirst) {
      this.#socket.write(head, 'latin1');
      return;
    }
    if (bytes === 0) this.#socket.write(head, 'latin1');
    else if (bytes <= joinedBytesMax) this.#socket.write(join(head, body, bytes));
    else {
      this.#socket.write(Buffer.from(head, 'latin1'));
      this.#writeBody(exchange, body.flatMap(toSteps), 0);
      return;
    }
    exchange.handler.onSent?.();
  }

  #sendHeldBody(exchange: Exchange): void {
    const { body } = exchange.request;
    if (body === undefined) return;
    this.#holdsBody = false;
    this.#quietTicks = 0;
    this.#writeBody(exchange, body.flatMap(toSteps), 0);
  }

  /** The next megabyte or so is written when the one before is gone. */
  #writeBody(exchange: Exchange, pieces: readonly Buffer[], from: number): void {
    let bytes = 0;
    for (const [index, piece] of pieces.slice(from).entries()) {
      bytes += piece.length;
      const next = from + index + 1;
      if (bytes >= stepBytesMax && next < pieces.length) {
        this.#socket.write(piece, (error) => {
          if (error || this.#exchange !== exchange) return;
          this.#quietTicks = 0;
          this.#writeBody(exchange, pieces, next);
        });
        return;
      }
      this.#socket.write(piece);
    }
    exchange.handler.onSent?.();
  }

  #data(bytes: Buffer): void {
    if (this.#exchange === undefined) {
      // Nothing was asked, so nothing that comes can be trusted to answer the next request.
      this.#socket.destroy();
      return;
    }
    this.#received = true;
    this.#quietTicks = 0;
    this.#consume(this.#backlog === undefined ? bytes : Buffer.concat([this.#backlog, bytes]));
  }

  #consume(bytes: Buffer): void {
    const exchange = this.#exchange;
    this.#backlog = undefined;
    let offset = 0;
    if (exchange === undefined) return;
    while (offset < bytes.length) {
      if (exchange.paused) {
        this.#socket.pause();
        this.#backlog = bytes.subarray(offset);
        return;
      }
      offset = this.#reader.read(bytes, offset, this);
      if (this.#exchange !== exchange) return;
      if (this.#reader.fault !== undefined) {
        this.#fail('protocol', this.#reader.fault);
        return;
      }
      if (this.#reader.done) {
        this.#complete(exchange, offset === bytes.length);
        return;
      }
    }
  }

  #deliverBacklog(): void {
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.paused) return;
    const backlog = this.#backlog;
    if (backlog !== undefined) this.#consume(backlog);
    if (this.#exchange !== exchange || exchange.paused) return;
    if (this.#ended) this.#end();
    else this.#socket.resume();
  }

  #end(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      this.#socket.destroy();
      return;
    }
    this.#ended = true;
    if (this.#backlog !== undefined) return;
    if (this.#reader.end()) this.#complete(exchange, true);
    else
      this.#fail('reset', this.#received ? 'closed before the end of the answer' : 'closed before an answer');
  }

  #complete(exchange: Exchange, isClean: boolean): void {
    this.#drop();
    this.#hasAnswered = true;
    // A body that is still being written when its answer is complete would run into the next request.
    const reusable =
      isClean &&
      !this.#ended &&
      !this.#owesBody &&
      this.#head?.keepAlive === true &&
      this.#socket.writableLength === 0 &&
      !(exchange.target.socketEndsWithStream === true && isEventStream(this.#head));
    if (reusable) {
      this.#socket.resume();
      this.#owner.connectionIdle(this);
    } else this.#socket.destroy();
    exchange.handler.onEnd();
  }

  #close(): void {
    this.#owner.connectionClosed(this);
    if (this.#exchange === undefined) return;
    const kind = this.#connected ? 'reset' : 'connect';
    this.#fail(kind, this.#errorCode ?? 'closed');
  }

  #fail(kind: UpstreamFailureKind, reason: string): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#drop();
    this.#socket.destroy();
    if (kind === 'reset' && this.#hasAnswered && !this.#received && !exchange.repeated) {
      exchange.repeated = true;
      this.#owner.repeat(exchange);
      return;
    }
    const wasSent = this.#sent && !this.#holdsBody;
    const accepted = this.#received ? 'yes' : wasSent ? 'unknown' : 'no';
    exchange.handler.onError({ kind, accepted, reason });
  }

  /** Lets go of the exchange: from here on its handler hears only what the caller of this tells it. */
  #drop(): void {
    if (this.#exchange !== undefined) this.#exchange.connection = undefined;
    this.#exchange = undefined;
    this.#backlog = undefined;
  }
}

function join(head: string, body: readonly Buffer[], bytes: number): Buffer {
  const joined = Buffer.allocUnsafe(head.length + bytes);
  let at = joined.write(head, 0, 'latin1');
  for (const piece of body) at += piece.copy(joined, at);
  return joined;
}

function toSteps(piece: Buffer): Buffer[] {
  const steps: Buffer[] = [];
  for (let at = 0; at < piece.length; at += stepBytesMax) steps.push(piece.subarray(at, at + stepBytesMax));
  return steps;
}

function isEventStream({ headers }: ResponseHead): boolean {
  return headers.some(
    (name, at) =>
      at % 2 === 0 &&
      name.toLowerCase() === 'content-type' &&
      headers[at + 1]?.startsWith('text/event-stream') === true,
  );
}
