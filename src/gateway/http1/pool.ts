/**
 * The connections to one target: reuses the one that became idle last, opens new ones without a limit (the scheduler's
 * permits are the limit), drops idle ones before the engine would. Knows no HTTP.
 */
import type { Clock } from '../../base/clock.ts';
import type { UpstreamTarget } from '../upstream.ts';
import { Connection } from './connection.ts';
import type { ConnectionOwner } from './connection.ts';
import type { Dial } from './dial.ts';
import type { Exchange } from './exchange.ts';

export interface PoolOptions {
  readonly target: UpstreamTarget;
  readonly clock: Clock;
  readonly dial: Dial;
  readonly tickMs: number;
}

interface IdleConnection {
  readonly connection: Connection;
  readonly expiresAtMs: number;
}

/** Dropped this much before the engine's own `Keep-Alive: timeout=` ends. */
const hintMarginMs = 1_000;

export class ConnectionPool implements ConnectionOwner {
  /** The newest target object with this pool's id and URL: limits may have changed since the pool was made. */
  target: UpstreamTarget;
  readonly #options: PoolOptions;
  readonly #all = new Set<Connection>();
  /** Used as a stack: the last one is the warmest, the first ones grow old and are dropped. */
  #idle: IdleConnection[] = [];
  #retired = false;

  constructor(options: PoolOptions) {
    this.target = options.target;
    this.#options = options;
  }

  /** Open connections, idle ones included. */
  get size(): number {
    return this.#all.size;
  }

  start(exchange: Exchange): void {
    const connection = this.#takeIdle() ?? this.#open();
    connection.start(exchange);
  }

  repeat(exchange: Exchange): void {
    this.#open().start(exchange);
  }

  connectionIdle(connection: Connection): void {
    const { target } = this;
    const hintMs = connection.keepAliveMs;
    const idleMsMax =
      hintMs === undefined ? target.socketIdleMsMax : Math.min(target.socketIdleMsMax, hintMs - hintMarginMs);
    if (this.#retired || idleMsMax <= 0) {
      connection.destroy();
      return;
    }
    this.#idle.push({ connection, expiresAtMs: this.#options.clock.nowMs() + idleMsMax });
  }

  connectionClosed(connection: Connection): void {
    this.#all.delete(connection);
    this.#idle = this.#idle.filter((idle) => idle.connection !== connection);
  }

  /** Ticks every connection and drops the idle ones whose time is over. */
  tick(): void {
    for (const connection of this.#all) connection.tick();
    const nowMs = this.#options.clock.nowMs();
    if (!this.#idle.some((idle) => idle.expiresAtMs <= nowMs)) return;
    for (const idle of this.#idle) if (idle.expiresAtMs <= nowMs) idle.connection.destroy();
    this.#idle = this.#idle.filter((idle) => idle.expiresAtMs > nowMs);
  }

  /** Closes idle connections now and busy ones after their exchange. */
  retire(): void {
    this.#retired = true;
    for (const idle of this.#idle) idle.connection.destroy();
    this.#idle = [];
  }

  /** Closes every connection; running exchanges fail. */
  close(): void {
    this.retire();
    for (const connection of this.#all) connection.close();
  }

  #takeIdle(): Connection | undefined {
    const nowMs = this.#options.clock.nowMs();
    for (;;) {
      const idle = this.#idle.pop();
      if (idle === undefined) return undefined;
      if (idle.expiresAtMs > nowMs && idle.connection.isOpen) return idle.connection;
      idle.connection.destroy();
    }
  }

  #open(): Connection {
    const { dial, tickMs } = this.#options;
    const connection = new Connection({ target: this.target, dial, owner: this, tickMs });
    this.#all.add(connection);
    return connection;
  }
}
