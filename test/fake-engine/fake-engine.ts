/**
 * A simulated engine that can be made to fail in every way that a real one or its network does, at run time, and that
 * remembers what it was asked and what it sent.
 */
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';

import { createSimEngine, type SimEngine } from '../../src/sim/engine/engine.ts';
import type { Exchange } from '../../src/sim/engine/exchange.ts';
import type { SimEngineOptions } from '../../src/sim/engine/options.ts';
import { createEngineServer } from '../../src/sim/engine/server.ts';
import { answersInstead, distortAnswer } from './answer-faults.ts';
import { FaultList, parseFault, type Fault } from './fault.ts';
import { RequestEntry, type LoggedRequest } from './request-log.ts';
import { Wire } from './wire.ts';

/** Those of the simulated engine, all with defaults: one model `tiny`, 4 slots, 200 tokens/s. */
export type FakeEngineOptions = Partial<SimEngineOptions> & {
  /** Default 0: a free one. */
  readonly port?: number;
};

export interface FakeEngineReport {
  readonly requests: readonly LoggedRequest[];
  /** POST requests running now, and the most there were at once. */
  readonly concurrency: number;
  readonly concurrencyMax: number;
  readonly connections: number;
}

export interface FakeEngineCore {
  readonly engine: SimEngine;
  readonly url: string;
  readonly port: number;
  /** The same control API on a port that no fault touches. */
  readonly controlUrl: string;
  fault(fault: Fault): void;
  report(): FakeEngineReport;
  /** Forgets faults and log. Requests that hang stay as they are. */
  reset(): void;
  close(): Promise<void>;
}

const defaults: SimEngineOptions = {
  name: 'fake',
  models: [{ id: 'tiny', contextTokens: 4096, promptTokensPerS: 50_000, tokensPerS: 200 }],
  slots: 4,
  seed: 1,
  sharing: 0,
};

export async function createFakeEngine(options: FakeEngineOptions = {}): Promise<FakeEngineCore> {
  const engine = createSimEngine({ ...defaults, ...options });
  const faults = new FaultList();
  const wires = new Set<Wire>();
  let entries: RequestEntry[] = [];
  let connections = 0;
  let concurrency = 0;
  let concurrencyMax = 0;
  let reopening: NodeJS.Timeout | undefined;

  function report(): FakeEngineReport {
    return { requests: entries.map((entry) => entry.toJSON()), concurrency, concurrencyMax, connections };
  }

  function reset(): void {
    faults.clear();
    entries = [];
    concurrencyMax = concurrency;
  }

  function fault(wanted: Fault): void {
    if (wanted.kind === 'loading') engine.load(wanted.ms);
    else if (wanted.kind === 'refuse') refuse(wanted.ms);
    else faults.add(wanted);
  }

  /** Closes the listener, not the connections, and opens it again on the same port. */
  function refuse(ms: number): void {
    clearTimeout(reopening);
    listener.close();
    reopening = setTimeout(() => listener.listen(port, '127.0.0.1'), ms);
  }

  function handle(exchange: Exchange): void {
    const wire = exchange.request.socket as unknown as Wire;
    if (exchange.path.startsWith('/__')) {
      control(exchange.request, exchange.response, { fault, report, reset });
      return;
    }
    const hits = faults.takeRequest(exchange.path);
    const entry = new RequestEntry({
      index: entries.length,
      connection: wire.id,
      requestOnConnection: wire.requests,
      method: exchange.method,
      path: exchange.request.url ?? '',
      rawHead: wire.takeHead(),
      headers: exchange.request.rawHeaders,
    });
    entry.faults = hits.map((hit) => hit.fault.kind);
    entries.push(entry);
    wire.begin(
      entry,
      hits.map((hit) => hit.fault),
    );
    if (exchange.method === 'POST') {
      concurrency += 1;
      concurrencyMax = Math.max(concurrencyMax, concurrency);
    }
    exchange.response.once('close', () => {
      if (exchange.method === 'POST') concurrency -= 1;
      wire.finish();
    });
    void answer(exchange, { wire, entry, hits, engine });
  }

  const server = createEngineServer({
    handle,
    keepAliveMs: options.keepAliveMs ?? 5000,
    socketRequestsMax: options.socketRequestsMax ?? 100,
  });
  const listener = net.createServer({ allowHalfOpen: true }, (socket) => {
    if (faults.takesAccept()) {
      socket.resetAndDestroy();
      return;
    }
    const wire = new Wire({ socket, id: connections, resetsReuse: () => faults.takesReuse() });
    connections += 1;
    wires.add(wire);
    wire.once('close', () => wires.delete(wire));
    server.emit('connection', wire);
  });
  const controlServer = http.createServer((request, response) =>
    control(request, response, { fault, report, reset }),
  );
  const port = await listen(listener, options.port ?? 0);
  const controlPort = await listen(controlServer, 0);
  return {
    engine,
    url: `http://127.0.0.1:${port}`,
    port,
    controlUrl: `http://127.0.0.1:${controlPort}`,
    fault,
    report,
    reset,
    async close() {
      clearTimeout(reopening);
      listener.close();
      controlServer.close();
      controlServer.closeAllConnections();
      for (const wire of wires) wire.destroy();
      await engine.close();
    },
  };
}

interface Answering {
  readonly wire: Wire;
  readonly entry: RequestEntry;
  readonly hits: readonly { readonly fault: Fault; readonly hitsBefore: number }[];
  readonly engine: SimEngine;
}

async function answer(exchange: Exchange, { wire, entry, hits, engine }: Answering): Promise<void> {
  const body = await exchange.body().catch(() => undefined);
  if (body === undefined) return;
  entry.bodyRead(body);
  exchange.body = () => Promise.resolve(body);
  for (const { fault, hitsBefore } of hits) {
    if (fault.kind === 'hang') return;
    if (fault.kind === 'reset') {
      wire.reset();
      return;
    }
    if (fault.kind === 'garbage') {
      wire.sendRaw(Buffer.from(fault.text ?? 'this is no HTTP\r\n\r\n'));
      return;
    }
    if (answersInstead(exchange, fault, hitsBefore)) return;
    distortAnswer(exchange, fault);
  }
  engine.handle(exchange);
}

type Controls = Pick<FakeEngineCore, 'fault' | 'report' | 'reset'>;

/** `POST /__fault`, `GET /__requests`, `POST /__reset`. */
function control(request: http.IncomingMessage, response: http.ServerResponse, controls: Controls): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.setHeader('connection', 'close');
    try {
      response.end(JSON.stringify(runControl(request.url ?? '', Buffer.concat(chunks).toString(), controls)));
    } catch (error) {
      response.statusCode = 400;
      response.end(JSON.stringify({ error: String(error) }));
    }
  });
}

function runControl(path: string, body: string, controls: Controls): unknown {
  switch (path) {
    case '/__fault':
      controls.fault(parseFault(JSON.parse(body)));
      return { ok: true };
    case '/__requests':
      return controls.report();
    case '/__reset':
      controls.reset();
      return { ok: true };
    default:
      throw new TypeError(`no control '${path}'`);
  }
}

async function listen(server: net.Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
  return (server.address() as AddressInfo).port;
}
