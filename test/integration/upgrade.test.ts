/** WebSockets through the router, with the client and the server of the ws package at the two ends. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startRouter, until } from './start-router.ts';

/** Lists one model; echoes on `/socket`, refuses on `/refuse`, never answers on `/hang`. */
async function startSocketEngine() {
  const sockets = new WebSocketServer({ noServer: true });
  const heads: string[] = [];
  const closes: { code: number; reason: string }[] = [];
  sockets.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      if (!isBinary && (data as Buffer).toString() === 'close me') socket.close(4001, 'as you wish');
      else if (!isBinary && (data as Buffer).toString() === 'break off') socket.terminate();
      else socket.send(data, { binary: isBinary });
    });
    socket.on('close', (code, reason) => closes.push({ code, reason: reason.toString() }));
  });
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/v1/models' ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ object: 'list', data: [{ id: 'voice', object: 'model' }] }));
  });
  server.on('upgrade', (request, socket, head) => {
    heads.push([request.url, ...request.rawHeaders].join('\n'));
    if (request.url?.startsWith('/hang') === true) return;
    if (request.url?.startsWith('/refuse') === true) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nno!\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets,
    heads,
    closes,
    close() {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
    },
  };
}

async function setUp(backend: object = {}, config: object = {}) {
  const engine = await startSocketEngine();
  const router = await startRouter({
    backends: { one: { url: engine.url, engine: 'openai', slots: 1, ...backend } },
    ...config,
  });
  await router.ready();
  const open: WebSocket[] = [];
  return {
    engine,
    router,
    connect(path: string, headers: Record<string, string> = {}): WebSocket {
      const socket = new WebSocket(`${router.url.replace('http', 'ws')}${path}`, { headers });
      socket.on('error', () => {});
      open.push(socket);
      return socket;
    },
    own: async () => (await router.status()).backends[0]?.slots.own,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.terminate();
      await router[Symbol.asyncDispose]();
      engine.close();
    },
  };
}

const next = async (socket: WebSocket) => {
  const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
  return { data, isBinary };
};

describe('a WebSocket', () => {
  test('carries text and binary both ways, in order, large ones too', async () => {
    await using setup = await setUp();
    const socket = setup.connect('/socket?x=%2F');
    await once(socket, 'open');
    socket.send('héllo');
    expect(await next(socket)).toMatchObject({ data: Buffer.from('héllo'), isBinary: false });
    const big = Buffer.alloc(3_000_000, 7);
    socket.send(big);
    const echoed = await next(socket);
    expect([echoed.isBinary, echoed.data.equals(big)]).toEqual([true, true]);
    const received: string[] = [];
    socket.on('message', (data: Buffer) => received.push(data.toString()));
    for (let index = 0; index < 200; index += 1) socket.send(String(index));
    await until(() => received.length === 200);
    expect(received).toEqual(Array.from({ length: 200 }, (_, index) => String(index)));
    expect(setup.engine.heads[0]).toContain('/socket?x=%2F');
  });

  test("passes on the engine's close code, and the client's", async () => {
    await using setup = await setUp();
    const first = setup.connect('/socket');
    await once(first, 'open');
    first.send('close me');
    const [code, reason] = (await once(first, 'close')) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([4001, 'as you wish']);
    const second = setup.connect('/socket');
    await once(second, 'open');
    second.close(4002, 'enough');
    await until(() => setup.engine.closes.some((close) => close.code === 4002 && close.reason === 'enough'));
  });

  test('gets the refusal of the engine as it is', async () => {
    await using setup = await setUp();
    const socket = setup.connect('/refuse');
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    expect([response.statusCode, response.statusMessage, Buffer.concat(chunks).toString()]).toEqual([
      403,
      'Forbidden',
      'no!\n',
    ]);
    expect(response.headers['content-length']).toBe('4');
    await until(async () => (await setup.router.status()).requests.in_flight === 0);
  });

  test("is authenticated here and carries the backend's key there", async () => {
    await using setup = await setUp({ apiKey: 'engine-key' }, { apiKeys: ['client-key'] });
    const refused = setup.connect('/socket');
    const [, response] = (await once(refused, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(401);
    const socket = setup.connect('/socket', { 'x-api-key': 'client-key' });
    await once(socket, 'open');
    expect(setup.engine.heads).toHaveLength(1);
    expect(setup.engine.heads[0]).not.toContain('client-key');
    expect(setup.engine.heads[0]).toContain('Bearer engine-key');
  });

  test('counts as a request of its key as long as it is open', async () => {
    const apiKeys = ['all', { name: 'one', key: 'k', concurrency: 1 }];
    await using setup = await setUp({}, { apiKeys });
    const first = setup.connect('/socket', { 'x-api-key': 'k' });
    await once(first, 'open');
    const second = setup.connect('/socket', { 'x-api-key': 'k' });
    const [, response] = (await once(second, 'unexpected-response')) as [unknown, IncomingMessage];
    expect([response.statusCode, response.headers['retry-after']]).toEqual([429, '1']);
    first.close();
    await once(first, 'close');
    await until(async () => (await setup.router.status()).requests.in_flight === 0);
    const third = setup.connect('/socket', { 'x-api-key': 'k' });
    await once(third, 'open');
  });

  test('holds a slot of its model as long as it is open, and the next one waits', async () => {
    await using setup = await setUp();
    const first = setup.connect('/socket?model=voice');
    await once(first, 'open');
    expect(await setup.own()).toBe(1);
    const second = setup.connect('/socket?model=voice');
    await until(async () => (await setup.router.status()).queue.depth === 1);
    expect(second.readyState).toBe(WebSocket.CONNECTING);
    first.close();
    await once(second, 'open');
    expect(await setup.own()).toBe(1);
    second.close();
    await until(async () => (await setup.own()) === 0);
  });

  test('waits beside the slots when it names no model', async () => {
    await using setup = await setUp();
    const first = setup.connect('/socket');
    const second = setup.connect('/socket?model=unheard-of');
    await Promise.all([once(first, 'open'), once(second, 'open')]);
    expect(await setup.own()).toBe(0);
  });

  test('whose client is gone is closed at the engine, and frees its slot', async () => {
    await using setup = await setUp();
    const socket = setup.connect('/socket?model=voice');
    await once(socket, 'open');
    socket.terminate();
    await until(() => setup.engine.sockets.clients.size === 0);
    await until(async () => (await setup.own()) === 0);
    await until(async () => (await setup.router.status()).requests.in_flight === 0);
  });

  test('whose engine breaks off is closed at the client, and frees its slot', async () => {
    await using setup = await setUp();
    const socket = setup.connect('/socket?model=voice');
    await once(socket, 'open');
    socket.send('break off');
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1006);
    await until(async () => (await setup.own()) === 0);
  });

  test('whose client leaves while it waits for a slot leaves the queue', async () => {
    await using setup = await setUp();
    const first = setup.connect('/socket?model=voice');
    await once(first, 'open');
    const second = setup.connect('/socket?model=voice');
    await until(async () => (await setup.router.status()).queue.depth === 1);
    second.terminate();
    await until(async () => (await setup.router.status()).queue.depth === 0, 3000);
    expect(setup.engine.heads).toHaveLength(1);
  });

  test('whose client leaves before the engine answers is given up there', async () => {
    await using setup = await setUp();
    const socket = setup.connect('/hang?model=voice');
    await until(() => setup.engine.heads.length === 1);
    socket.terminate();
    await until(async () => (await setup.own()) === 0, 3000);
  });

  test('is refused with 503 when no engine can be reached', async () => {
    await using setup = await setUp({}, { probes: { interval: '1m', deadInterval: '1m' } });
    setup.engine.close();
    const socket = setup.connect('/socket?model=voice');
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    expect([502, 503]).toContain(response.statusCode);
    expect(response.headers['retry-after']).toBeDefined();
    expect(response.headers['x-request-id']).toBeDefined();
  });
});

describe('a WebSocket to models of our own', () => {
  /** Two models whose processes only live; both speak through one engine each. */
  async function setUpModels(ignoreWebsockets: boolean) {
    const [a, b] = await Promise.all([startSocketEngine(), startSocketEngine()]);
    const model = (url: string) => ({
      cmd: `'${process.execPath}' -e 'setInterval(() => {}, 1000)'`,
      proxy: url,
      checkEndpoint: '/v1/models',
      useModelName: 'voice',
      compat: { ignoreWebsockets },
    });
    const router = await startRouter({
      models: { a: model(a.url), b: model(b.url) },
      groups: { both: { swap: false, exclusive: false, members: ['a', 'b'] } },
      selectors: { any: { strategy: 'spillover', targets: ['a', 'b'] } },
    });
    const load = (name: string) =>
      fetch(`${router.url}/v1/embeddings`, { method: 'POST', body: JSON.stringify({ model: name }) });
    const open: WebSocket[] = [];
    return {
      a,
      b,
      router,
      load,
      connect(path: string) {
        const socket = new WebSocket(`${router.url.replace('http', 'ws')}${path}`);
        socket.on('error', () => {});
        open.push(socket);
        return socket;
      },
      async [Symbol.asyncDispose]() {
        for (const socket of open) socket.terminate();
        await router[Symbol.asyncDispose]();
        a.close();
        b.close();
      },
    };
  }

  test('RTR-4 loads the model, tells it its own name, and counts while it is open', async () => {
    await using setup = await setUpModels(false);
    await once(setup.connect('/socket?model=a&x=%2F'), 'open');
    expect(setup.a.heads[0]).toContain('/socket?model=voice&x=%2F');
    const { backends } = await setup.router.status();
    expect(backends.find(({ id }) => id === 'a')?.slots.own).toBe(1);
    // The place of `a` is taken, so the selector goes on to the next.
    await once(setup.connect('/socket?model=any'), 'open');
    await once(setup.connect('/socket?model=any'), 'open');
    expect([setup.a.heads.length, setup.b.heads.length]).toEqual([2, 1]);
  });

  test('RTR-4, SRV-16 that ignores them loads nothing, counts as nothing, and holds no reservation', async () => {
    await using setup = await setUpModels(true);
    const refused = setup.connect('/socket?model=a');
    const [, response] = (await once(refused, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(409);
    await Promise.all([setup.load('a'), setup.load('b')]);
    await once(setup.connect('/socket?model=any'), 'open');
    await once(setup.connect('/socket?model=any'), 'open');
    await once(setup.connect('/socket?model=any'), 'open');
    expect(new Set([setup.a.heads.length, setup.b.heads.length])).toEqual(new Set([1, 2]));
    const { backends } = await setup.router.status();
    expect(backends.map(({ slots }) => slots.own)).toEqual([0, 0]);
  });
});
