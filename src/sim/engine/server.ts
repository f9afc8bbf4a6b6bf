/** The HTTP server under a simulated engine, with llama-server's habits: 5 s of idleness, 100 requests per connection. */
import http from 'node:http';

import { Exchange } from './exchange.ts';

export interface EngineServerOptions {
  /** Takes each exchange; never throws. */
  readonly handle: (exchange: Exchange) => void;
  readonly keepAliveMs: number;
  readonly socketRequestsMax: number;
}

export function createEngineServer({
  handle,
  keepAliveMs,
  socketRequestsMax,
}: EngineServerOptions): http.Server {
  const requestsBySocket = new WeakMap<object, number>();
  const server = http.createServer(
    { keepAliveTimeout: keepAliveMs, requestTimeout: 0 },
    (request, response) => {
      const count = (requestsBySocket.get(request.socket) ?? 0) + 1;
      requestsBySocket.set(request.socket, count);
      handle(new Exchange({ request, response, lastOnSocket: count >= socketRequestsMax }));
    },
  );
  // Node grants clients another second by default; llama-server grants none.
  server.keepAliveTimeoutBuffer = 0;
  return server;
}
