/** What llama-swap's tests pin of processes, told at the router: requests, WebSockets and listings around their states. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { ask, chat } from '../integration/client.ts';
import { fakeCommand, withModels } from '../integration/fake-models.ts';
import { loadsIn, pidsIn } from '../integration/model-log.ts';
import { startRouter, until, type TestRouter } from '../integration/start-router.ts';
import { isAlive } from '../processes/harness.ts';

async function running(router: TestRouter): Promise<Record<string, string>> {
  const { running: rows } = (await ask(`${router.url}/running`).answer).json() as {
    running: { model: string; state: string }[];
  };
  return Object.fromEntries(rows.map(({ model, state }) => [model, state]));
}

test('PRC-1 a request never meets a process that is not ready: it waits for the next one', async () => {
  await using router = await startRouter(
    await withModels({ a: {}, b: {} }, { scheduling: { maxWait: '100ms' } }),
  );
  const over = new AbortController();
  const seen = new Set<string>();
  const answer = async (model: string) => {
    const { status, complete } = await chat(router.url, { model, max_tokens: 1 }).answer;
    seen.add(`${status} ${complete ? 'whole' : 'cut'}`);
  };
  const use = async () => {
    while (!over.signal.aborted) await answer('a');
  };
  const users = [use(), use()];
  for (let round = 1; round <= 3; round += 1) {
    await until(() => pidsIn(router.logLines, 'a').length >= round);
    await answer('b');
  }
  over.abort();
  await Promise.all(users);
  expect([...seen]).toEqual(['200 whole']);
  expect(loadsIn(router.logLines).slice(0, 6)).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
});

test('PRC-10 a time to live ends an idle process, not a busy one, and 0 ends none', async () => {
  const members = ['idle', 'busy', 'lasting'];
  const config = await withModels(
    { idle: { ttl: 1 }, busy: { ttl: 1 }, lasting: { ttl: 0 } },
    { groups: { all: { swap: false, exclusive: false, members } } },
  );
  await using router = await startRouter(config);
  await Promise.all(members.map((model) => chat(router.url, { model, max_tokens: 1 }).answer));
  const pids = new Map(members.map((model) => [model, pidsIn(router.logLines, model)]));
  const untilMs = performance.now() + 2500;
  while (performance.now() < untilMs)
    expect((await chat(router.url, { model: 'busy', max_tokens: 20 }).answer).status).toBe(200);
  expect(await running(router)).toEqual({ busy: 'ready', lasting: 'ready' });
  expect(pidsIn(router.logLines, 'busy')).toEqual(pids.get('busy'));
  expect(isAlive(pids.get('idle')?.[0] ?? 0)).toBe(false);
  expect(router.logLines).toContainEqual(
    expect.objectContaining({ msg: 'Model is unloading', model: 'idle', reason: 'ttl' }),
  );
});

test('RTR-1 what runs is listed while it starts and when it is ready, and no longer', async () => {
  await using router = await startRouter(
    await withModels({ a: { cmd: fakeCommand('a', '--load-ms 700') }, b: {} }),
  );
  expect(await running(router)).toEqual({});
  const asking = chat(router.url, { model: 'a', max_tokens: 1 }).answer;
  await until(async () => (await running(router))['a'] === 'starting');
  await asking;
  expect(await running(router)).toEqual({ a: 'ready' });
  await chat(router.url, { model: 'b', max_tokens: 1 }).answer;
  expect(await running(router)).toEqual({ b: 'ready' });
});

test('SRV-5 every preloaded model tells when it is ready, and one that cannot be loaded stops no other', async () => {
  const config = await withModels(
    { a: {}, bad: { cmd: 'false ${PORT}' }, b: {} },
    {
      hooks: { on_startup: { preload: ['a', 'bad', 'b'] } },
      groups: { all: { swap: false, exclusive: false, members: ['a', 'bad', 'b'] } },
    },
  );
  await using router = await startRouter(config);
  const events = ask(`${router.url}/api/events`);
  let text = '';
  (await events.head).on('data', (chunk: Buffer) => (text += chunk.toString()));
  for (const id of ['a', 'b'])
    await until(() => text.includes(`{\\"id\\":\\"${id}\\"`) && pidsIn(router.logLines, id).length === 1);
  await until(() => /\\"id\\":\\"b\\".{0,200}?\\"state\\":\\"ready\\"/.test(text));
  events.leave();
  await until(() =>
    router.logLines.some(({ msg, model }) => msg === 'Model could not be loaded' && model === 'bad'),
  );
  expect(await running(router)).toEqual({ a: 'ready', b: 'ready' });
});

describe('RTR-4 a WebSocket', () => {
  /** Speaks for a process that merely lives; ready once `ready` is true. */
  async function startSocketServer() {
    const sockets = new WebSocketServer({ noServer: true });
    const state = { ready: true };
    const server = createServer((_request, response) =>
      response.writeHead(state.ready ? 200 : 503).end('{}'),
    );
    server.on('upgrade', (request, socket, head) => {
      sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened));
    });
    sockets.on('connection', (socket) => {
      socket.on('message', (data) => {
        socket.send(data);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, state };
  }

  async function setUp(ignoreWebsockets: boolean, fields: object = {}) {
    const server = await startSocketServer();
    const sleeper = `'${process.execPath}' -e 'setInterval(() => {}, 1000)'`;
    const talker = {
      cmd: sleeper,
      proxy: server.url,
      checkEndpoint: '/',
      compat: { ignoreWebsockets },
      ...fields,
    };
    const router = await startRouter(await withModels({ talker, other: {} }));
    const connect = () => {
      const socket = new WebSocket(`${router.url.replace('http', 'ws')}/socket?model=talker`);
      socket.on('error', () => {});
      return socket;
    };
    const refusalOf = async (socket: WebSocket) => {
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
      response.resume();
      return response.statusCode;
    };
    return { server, router, connect, refusalOf, [Symbol.asyncDispose]: () => router[Symbol.asyncDispose]() };
  }

  const load = (router: TestRouter) =>
    ask(`${router.url}/v1/embeddings`, { body: { model: 'talker', input: 'x' } }).answer;

  test('that is ignored gets 409 from a model that is stopped or starting, and starts nothing', async () => {
    await using setup = await setUp(true);
    expect(await setup.refusalOf(setup.connect())).toBe(409);
    expect(loadsIn(setup.router.logLines)).toEqual([]);
    setup.server.state.ready = false;
    const loading = load(setup.router);
    await until(async () => (await running(setup.router))['talker'] === 'starting');
    expect(await setup.refusalOf(setup.connect())).toBe(409);
    setup.server.state.ready = true;
    expect((await loading).status).toBe(200);
    await once(setup.connect(), 'open');
    expect(loadsIn(setup.router.logLines)).toEqual(['talker']);
  });

  test('that is ignored does not delay a swap, and is not cut by the router; one that is not ignored does delay it', async () => {
    for (const ignored of [true, false]) {
      await using setup = await setUp(ignored);
      if (ignored) await load(setup.router);
      const socket = setup.connect();
      await once(socket, 'open');
      let swapped = false;
      const swap = chat(setup.router.url, { model: 'other', max_tokens: 1 }).answer.then(({ status }) => {
        swapped = true;
        return status;
      });
      if (ignored) {
        expect(await swap).toBe(200);
        socket.send('still here');
        const [data] = (await once(socket, 'message')) as [Buffer];
        expect(data.toString()).toBe('still here');
        socket.terminate();
      } else {
        await until(async () => (await setup.router.status()).queue.depth === 1);
        expect([swapped, await running(setup.router)]).toEqual([false, { talker: 'ready' }]);
        socket.close();
        expect(await swap).toBe(200);
      }
    }
  });

  test('PRC-10 that is ignored does not hold up a time to live, and is not cut by it', async () => {
    await using setup = await setUp(true, { ttl: 1 });
    await load(setup.router);
    const [pid = 0] = pidsIn(setup.router.logLines);
    const socket = setup.connect();
    await once(socket, 'open');
    await until(() => !isAlive(pid));
    socket.send('still here');
    const [data] = (await once(socket, 'message')) as [Buffer];
    expect(data.toString()).toBe('still here');
    socket.terminate();
  });
});
