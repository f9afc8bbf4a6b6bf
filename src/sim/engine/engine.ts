/**
 * A simulated llama.cpp server: real HTTP, real slots, real waiting, invented words. Owns its sockets and its state of
 * loading; says `llamero-sim` wherever a real one names its build.
 */
import type http from 'node:http';
import type { AddressInfo } from 'node:net';

import { createRandom, type Random } from '../../base/random.ts';
import { systemTimers } from '../timers.ts';
import { EngineError } from './engine-error.ts';
import type { Exchange } from './exchange.ts';
import { createSingleHost, RouterHost } from './model-host.ts';
import type { SimEngineOptions } from './options.ts';
import { route, type RouteContext } from './routes.ts';
import { createEngineServer } from './server.ts';

export interface SimEngineState {
  readonly name: string;
  /** Undefined while it does not listen. */
  readonly url: string | undefined;
  readonly models: readonly {
    readonly id: string;
    readonly status: 'unloaded' | 'loading' | 'loaded';
    readonly slotsBusy: number;
    readonly queued: number;
    /** Finished and cancelled requests since it was loaded. */
    readonly requests: number;
  }[];
  readonly slotsTotal: number;
}

export interface SimEngine {
  readonly name: string;
  /** Answers one exchange, for whoever brings a server of their own; never throws. */
  handle(exchange: Exchange): void;
  /** Default: a free port of 127.0.0.1. Throws when the port is taken. */
  listen(port?: number, host?: string): Promise<{ readonly url: string; readonly port: number }>;
  /** Answers 503 "Loading model" for so long, as after a start. */
  load(durationMs: number): void;
  state(): SimEngineState;
  /** Breaks all connections and ends all timers. Idempotent. */
  close(): Promise<void>;
}

const idLetters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const idLength = 32;

/** Throws RangeError when there is more than one model without router mode. */
export function createSimEngine(options: SimEngineOptions): SimEngine {
  if (options.router === undefined && options.models.length > 1) {
    throw new RangeError(`engine '${options.name}' has ${options.models.length} models: set router`);
  }
  const timers = options.timers ?? systemTimers;
  const random = createRandom(options.seed);
  const routed = options.router !== undefined;
  const host = routed ? new RouterHost(options, timers) : createSingleHost(options, timers);
  let loadedAtMs = timers.nowMs() + (routed ? 0 : (options.models[0].loadMs ?? 0));
  let count = 0;
  let url: string | undefined;
  const context: RouteContext = {
    options,
    host,
    startedAtS: Math.floor(timers.epochMs() / 1000),
    newId: () => createId(random),
    epochMs: () => timers.epochMs(),
    nextCount: () => (count += 1),
  };

  function handle(exchange: Exchange): void {
    const refusal = refuse(exchange, { apiKey: options.apiKey, loading: timers.nowMs() < loadedAtMs });
    if (exchange.method === 'OPTIONS') exchange.text(200, '', { type: 'text/html' });
    else if (refusal !== undefined) exchange.error(refusal);
    else route(exchange, context).catch((thrown: unknown) => exchange.error(thrown));
  }

  const server = createEngineServer({
    handle,
    keepAliveMs: options.keepAliveMs ?? 5000,
    socketRequestsMax: options.socketRequestsMax ?? 100,
  });
  const readState = (): SimEngineState => ({
    name: options.name,
    url,
    models: host.models.map(({ model, status, runner }) => ({
      id: model.id,
      status,
      slotsBusy: runner?.pool.busy ?? 0,
      queued: runner?.pool.queued ?? 0,
      requests: runner?.pool.counters.requests ?? 0,
    })),
    slotsTotal: options.slots,
  });
  return {
    name: options.name,
    handle,
    async listen(port = 0, address = '127.0.0.1') {
      const bound = await listenOn(server, port, address);
      url = `http://${address}:${bound}`;
      return { url, port: bound };
    },
    load(durationMs) {
      loadedAtMs = timers.nowMs() + durationMs;
    },
    state: readState,
    async close() {
      host.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      url = undefined;
      await closed;
    },
  };
}

/** Health needs no key. Loading is answered by everything but `/`, which this server does not have. */
function refuse(
  exchange: Exchange,
  { apiKey, loading }: { readonly apiKey: string | undefined; readonly loading: boolean },
): EngineError | undefined {
  const open = ['/', '/health', '/v1/health'].includes(exchange.path);
  const { authorization, 'x-api-key': key } = exchange.request.headers;
  const given = [authorization, authorization?.replace(/^Bearer /, ''), key];
  if (apiKey !== undefined && !open && !given.includes(apiKey))
    return new EngineError(401, 'Invalid API Key');
  return loading && exchange.path !== '/' ? new EngineError(503, 'Loading model') : undefined;
}

function createId(random: Random): string {
  const letter = () => idLetters[Math.floor(random.next() * idLetters.length)];
  return Array.from({ length: idLength }, letter).join('');
}

async function listenOn(server: http.Server, port: number, address: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}
