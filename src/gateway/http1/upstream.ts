/**
 * The HTTP/1.1 client of the data plane: one pool per target over node:net and node:tls. It knows what an engine can
 * have seen of a request, which a general client does not tell. Owns the pools and the one timer behind every limit.
 */
import { systemClock } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import type {
  Upstream,
  UpstreamCall,
  UpstreamHandler,
  UpstreamRequest,
  UpstreamTarget,
} from '../upstream.ts';
import { dialTarget } from './dial.ts';
import type { Dial } from './dial.ts';
import type { Exchange } from './exchange.ts';
import { ConnectionPool } from './pool.ts';
import { bytesOf, formatRequestHead, RequestFault } from './request-head.ts';

export interface UpstreamOptions {
  readonly clock?: Clock;
  readonly dial?: Dial;
  /** Coarseness of all time limits, milliseconds: a limit ends up to two ticks late, never early. Default 100. */
  readonly tickMs?: number;
}

/**
 * A request that cannot be put on the wire (a control character in its path or headers) fails with kind `protocol`,
 * accepted `no`; nothing is sent. A target that comes again with the same id and another URL gets a new pool.
 */
export function createUpstream(options: UpstreamOptions = {}): Upstream {
  return new Http1Upstream(options);
}

class Http1Upstream implements Upstream {
  readonly #clock: Clock;
  readonly #dial: Dial;
  readonly #tickMs: number;
  readonly #pools = new Map<string, ConnectionPool>();
  /** Pools of targets that left, with busy connections. */
  readonly #retired = new Set<ConnectionPool>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: UpstreamOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#dial = options.dial ?? dialTarget;
    this.#tickMs = options.tickMs ?? 100;
  }

  send(target: UpstreamTarget, request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    if (this.#closed) return refuse(handler, 'connect', 'closed by the router');
    let head: string;
    try {
      head = formatRequestHead(target.url.host, request);
    } catch (thrown) {
      if (!(thrown instanceof RequestFault)) throw thrown;
      return refuse(handler, 'protocol', thrown.message);
    }
    const exchange: Exchange = {
      target,
      request,
      head,
      handler,
      asksFirst: asksFirst(target, request),
      connection: undefined,
      paused: false,
      repeated: false,
    };
    this.#pool(target).start(exchange);
    this.#timer ??= setInterval(() => this.#tick(), this.#tickMs).unref();
    return new Http1Call(exchange);
  }

  forget(targetId: string): void {
    const pool = this.#pools.get(targetId);
    if (pool === undefined) return;
    this.#pools.delete(targetId);
    pool.retire();
    if (pool.size > 0) this.#retired.add(pool);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const pool of [...this.#pools.values(), ...this.#retired]) pool.close();
    this.#pools.clear();
    this.#retired.clear();
  }

  #pool(target: UpstreamTarget): ConnectionPool {
    const known = this.#pools.get(target.id);
    if (known !== undefined) {
      if (known.target === target) return known;
      if (known.target.url.href === target.url.href) {
        known.target = target;
        return known;
      }
      this.forget(target.id);
    }
    const pool = new ConnectionPool({ target, clock: this.#clock, dial: this.#dial, tickMs: this.#tickMs });
    this.#pools.set(target.id, pool);
    return pool;
  }

  #tick(): void {
    let open = 0;
    for (const pool of this.#pools.values()) {
      pool.tick();
      open += pool.size;
    }
    for (const pool of this.#retired) {
      pool.tick();
      open += pool.size;
      if (pool.size === 0) this.#retired.delete(pool);
    }
    if (open > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

class Http1Call implements UpstreamCall {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  pause(): void {
    this.#setPaused(true);
  }

  resume(): void {
    this.#setPaused(false);
  }

  abort(): void {
    this.#exchange.connection?.destroy();
  }

  #setPaused(paused: boolean): void {
    if (this.#exchange.paused === paused) return;
    this.#exchange.paused = paused;
    this.#exchange.connection?.applyPause();
  }
}

function asksFirst({ continueWaitMs = 0 }: UpstreamTarget, { headers, body }: UpstreamRequest): boolean {
  if (continueWaitMs === 0 || body === undefined || bytesOf(body) === 0) return false;
  return headers.some(
    (name, at) =>
      at % 2 === 0 && name.toLowerCase() === 'expect' && headers[at + 1]?.toLowerCase() === '100-continue',
  );
}

/** A call that fails in a turn of its own, before anything was sent. */
function refuse(handler: UpstreamHandler, kind: 'connect' | 'protocol', reason: string): UpstreamCall {
  let aborted = false;
  queueMicrotask(() => {
    if (!aborted) handler.onError({ kind, accepted: 'no', reason });
  });
  return {
    pause() {},
    resume() {},
    abort() {
      aborted = true;
    },
  };
}
