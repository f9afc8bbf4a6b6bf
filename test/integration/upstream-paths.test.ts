/** `/upstream/MODEL/…`, `/comfyui/…` and the redirects, over real sockets and processes. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { ask, type AskOptions } from './client.ts';
import { withModels } from './fake-models.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

async function seenBy(router: TestRouter, model: string): Promise<readonly Seen[]> {
  const answer = await ask(`${router.url}/upstream/${model}/__requests`).answer;
  return (answer.json() as unknown as { requests: Seen[] }).requests.filter(
    ({ path }) => !['/health', '/props', '/slots', '/v1/models', '/__requests'].includes(path),
  );
}

describe('paths that name a model', () => {
  let router: TestRouter;

  beforeAll(async () => {
    const config = await withModels(
      { m: { aliases: ['nick'], filters: { stripParams: 'seed' } }, 'm/long': {}, 'author/model': {} },
      {
        groups: { all: { swap: false, exclusive: false, members: ['m', 'm/long', 'author/model'] } },
        selectors: { pick: { strategy: 'pin', targets: ['m'] } },
        profiles: {
          work: { pins: { 'm/l': 'author/model', off: '', m: 'm/long' } },
        },
      },
    );
    router = await startRouter(config);
  }, 30_000);
  afterAll(() => router[Symbol.asyncDispose]());

  const get = (path: string, options: AskOptions = {}) => ask(router.url + path, options).answer;

  test('SRV-9: are cut at the longest model name, whose slashes count as they are and escaped', async () => {
    expect((await get('/upstream/m/props')).headers['x-llamero-backend']).toBe('m');
    expect((await get('/upstream/m/long/props')).headers['x-llamero-backend']).toBe('m/long');
    expect((await get('/upstream/m%2Flong/props')).headers['x-llamero-backend']).toBe('m/long');
    expect((await get('/upstream/author/model/props')).headers['x-llamero-backend']).toBe('author/model');
    expect((await get('/upstream/author%2fmodel/props')).headers['x-llamero-backend']).toBe('author/model');
    expect((await get('/upstream/nick/props')).headers['x-llamero-backend']).toBe('m');
    expect((await get('/upstream/author/props')).status).toBe(404);
    expect((await get('/upstream/%zz/props')).status).toBe(404);
    expect((await get('/upstream/')).status).toBe(404);
  });

  test('SRV-10: keep the rest of the path, the query and the body exactly as they came', async () => {
    await get('/upstream/m/a%2Fb/%252F/%C3%A9/x?q=%20y&z');
    const body = '{"seed":1, "model":"something else"}';
    await get('/upstream/m/custom', { method: 'PUT', body });
    const seen = await seenBy(router, 'm');
    expect(seen.find(({ path }) => path.startsWith('/a%2F'))?.path).toBe('/a%2Fb/%252F/%C3%A9/x?q=%20y&z');
    expect(seen.find(({ path }) => path === '/custom')).toMatchObject({ method: 'PUT', body });
  });

  test.each([
    ['GET', '/upstream/m', 301, '/upstream/m/'],
    ['HEAD', '/upstream/m?a=1', 301, '/upstream/m/?a=1'],
    ['POST', '/upstream/author%2Fmodel?x', 308, '/upstream/author%2Fmodel/?x'],
  ])('SRV-10: %s %s is sent on with %i', async (method, path, status, location) => {
    const answer = await get(path, { method });
    expect([answer.status, answer.headers['location']]).toEqual([status, location]);
  });

  test('UTL-5: take selectors, too, and know nobody else', async () => {
    expect((await get('/upstream/pick/props')).headers['x-llamero-backend']).toBe('m');
    const unknown = await get('/upstream/nobody/v1/models');
    expect([unknown.status, unknown.json()]).toMatchObject([404, { error: { code: 'model_not_found' } }]);
  });

  test('UTL-6: answer errors as text or as a page to those who ask for it', async () => {
    const text = await get('/upstream/nobody/', { headers: { accept: 'text/plain' } });
    expect([text.status, text.headers['content-type']]).toEqual([404, 'text/plain; charset=utf-8']);
    expect(text.body.toString()).toMatch(/^llamero: No model/);
    const page = await get('/upstream/a&b/', { headers: { accept: 'text/html' } });
    expect(page.body.toString()).toContain('/upstream/a&amp;b/');
  });

  test('SRV-12: count a POST on an inference route as a request of that route', async () => {
    const body = { messages: [{ role: 'user', content: 'x' }], max_tokens: 2 };
    await get('/upstream/m/v1/chat/completions', { body });
    await get('/upstream/m/index.html');
    const lines = router.logLines.filter(({ msg }) => msg === 'request').slice(-2);
    expect(lines).toMatchObject([
      { route: 'chat-completions', path: '/v1/chat/completions', model: 'm' },
      { route: 'other', path: '/upstream/m/index.html', model: 'm' },
    ]);
  });

  test('SRV-15: follow the longest pin of the active profile, and know no disabled name', async () => {
    expect(router.app.profile.choose('work')).toBe(true);
    expect((await get('/upstream/m/l/props')).headers['x-llamero-backend']).toBe('author/model');
    expect((await get('/upstream/m/props')).headers['x-llamero-backend']).toBe('m/long');
    const off = await get('/upstream/off/props');
    router.app.profile.choose(undefined);
    expect([off.status, off.json()]).toMatchObject([404, { error: { code: 'model_not_found' } }]);
  });
});

test('WebSockets below /upstream/MODEL reach the model, whose path they keep', async () => {
  const paths: (string | undefined)[] = [];
  const echo = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  echo.on('connection', (socket, { url }) => {
    paths.push(url);
    socket.on('message', (data) => socket.send(data));
  });
  await once(echo, 'listening');
  const { port } = echo.address() as AddressInfo;
  const config = await withModels({
    m: { cmd: 'sleep 60', proxy: `http://127.0.0.1:${port}`, checkEndpoint: 'none' },
  });
  await using router = await startRouter(config);
  const socket = new WebSocket(`${router.url.replace('http', 'ws')}/upstream/m/a%2Fb?x=1`);
  socket.on('open', () => socket.send('hello'));
  const [answer] = (await once(socket, 'message')) as [Buffer];
  expect(answer.toString()).toBe('hello');
  expect(paths).toEqual(['/a%2Fb?x=1']);
  socket.terminate();
  echo.close();
});

describe('upstream.ignorePaths', () => {
  test('SRV-11: get 409 while the model is not loaded, and the file once it is', async () => {
    await using router = await startRouter(await withModels({ m: {} }));
    const before = await ask(`${router.url}/upstream/m/app.js`).answer;
    expect([before.status, before.json()]).toMatchObject([
      409,
      {
        error: {
          code: 'model_not_loaded',
          message: "Model 'm' is not loaded; path matches upstream.ignorePaths",
        },
      },
    ]);
    expect((await ask(`${router.url}/upstream/m/props`).answer).status).toBe(200);
    expect((await ask(`${router.url}/upstream/m/app.js`).answer).status).toBe(404);
  });
});

describe('/comfyui/', () => {
  test('SRV-13: redirects, starts its model by its root alone, and keeps path and query', async () => {
    await using router = await startRouter(await withModels({ comfyui_auto: {} }));
    const get = (path: string, method = 'GET') => ask(router.url + path, { method }).answer;
    for (const [method, status] of [
      ['GET', 301],
      ['HEAD', 301],
      ['POST', 308],
    ] as const) {
      const { status: got, headers } = await get('/comfyui?x=1', method);
      expect([got, headers['location']]).toEqual([status, '/comfyui/?x=1']);
    }
    const asset = await get('/comfyui/assets/x.css');
    expect([asset.status, asset.json()]).toMatchObject([
      409,
      { error: { message: "Model 'comfyui_auto' is not loaded; only /comfyui/ can start it" } },
    ]);
    await get('/comfyui/');
    await until(async () => (await get('/comfyui/a%2Fb?x=%20')).status !== 409);
    const seen = await seenBy(router, 'comfyui_auto');
    expect(seen.map(({ path }) => path)).toEqual(expect.arrayContaining(['/', '/a%2Fb?x=%20']));
  });

  test('SRV-13: is unknown without a model of that name', async () => {
    await using router = await startRouter(await withModels({ m: {} }));
    expect((await ask(`${router.url}/comfyui/`).answer).status).toBe(404);
  });

  test('SRV-13: needs a key where keys are needed', async () => {
    await using router = await startRouter(await withModels({ comfyui_auto: {} }, { apiKeys: ['k'] }));
    expect((await ask(`${router.url}/comfyui/`).answer).status).toBe(401);
  });
});
