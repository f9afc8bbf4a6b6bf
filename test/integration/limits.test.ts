/** What clients may send, and what happens when they send something else. */
import { createHash, randomBytes } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { describe, expect, test } from 'vitest';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from './client.ts';
import { connectRaw, rawPost, type RawClient } from './raw-client.ts';
import { startRouter, until } from './start-router.ts';

const slow = { id: 'tiny', contextTokens: 4096, promptTokensPerS: 50_000, tokensPerS: 20 };
const chatPath = '/v1/chat/completions';
const small = { model: 'tiny', messages: [{ role: 'user', content: 'x' }], max_tokens: 2 };

async function oneEngine(config: object = {}, options: Parameters<typeof startFakeEngine>[0] = {}) {
  const engine = await startFakeEngine(options);
  const router = await startRouter({ backends: { one: { url: engine.url } }, ...config });
  await router.ready();
  await engine.reset();
  return {
    engine,
    router,
    posts: async () => (await engine.report()).requests.filter(({ method }) => method === 'POST'),
    requestLines: () => router.logLines.filter(({ msg }) => msg === 'request'),
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await engine.close();
    },
  };
}

describe('a body over limits.body', () => {
  const limits = { limits: { body: '64KiB' } };

  test('is refused by its declared length, and the connection stays usable', async () => {
    await using setup = await oneEngine(limits);
    using client = await connectRaw(setup.router.url);
    client.socket.write(rawPost(chatPath, 'x'.repeat(70_000)));
    const text = await client.receives(/"request_too_large"}}/);
    expect(text).toMatch(/^HTTP\/1\.1 413 [\s\S]*x-request-id: [\da-f-]{36}/);
    client.socket.write(rawPost(chatPath, small));
    await client.receives(/HTTP\/1\.1 200 OK[\s\S]*chat\.completion/);
    expect(await setup.posts()).toHaveLength(1);
  });

  test('is refused while it comes in chunks, and the connection stays usable', async () => {
    await using setup = await oneEngine(limits);
    using client = await connectRaw(setup.router.url);
    client.socket.write(`POST ${chatPath} HTTP/1.1\r\nHost: r\r\nTransfer-Encoding: chunked\r\n\r\n`);
    for (let part = 0; part < 8; part += 1) client.socket.write(`4000\r\n${'x'.repeat(0x4000)}\r\n`);
    client.socket.write('0\r\n\r\n');
    await client.receives(/^HTTP\/1\.1 413 [\s\S]*"request_too_large"}}/);
    client.socket.write(rawPost(chatPath, small));
    await client.receives(/HTTP\/1\.1 200 OK[\s\S]*chat\.completion/);
  });

  test('is refused before the client has sent all of it', async () => {
    await using setup = await oneEngine(limits);
    using client = await connectRaw(setup.router.url);
    client.socket.write(`POST ${chatPath} HTTP/1.1\r\nHost: r\r\nContent-Length: 1000000000\r\n\r\n{`);
    await client.receives(/^HTTP\/1\.1 413 [\s\S]*"request_too_large"}}/);
  });

  test('is no hindrance for a client of node:http that writes on', async () => {
    await using setup = await oneEngine(limits);
    const answer = await ask(setup.router.url + chatPath, { body: 'y'.repeat(8 * 1024 * 1024) }).answer;
    expect([answer.status, answer.json()]).toMatchObject([413, { error: { code: 'request_too_large' } }]);
  });

  test('is told in the shape of the Anthropic API on its route', async () => {
    await using setup = await oneEngine(limits);
    const answer = await ask(`${setup.router.url}/v1/messages`, { body: 'y'.repeat(70_000) }).answer;
    expect([answer.status, answer.json()]).toMatchObject([
      413,
      { type: 'error', error: { type: 'request_too_large' } },
    ]);
  });

  test('passes up to the limit', async () => {
    const roomy = { id: 'tiny', contextTokens: 65_536, promptTokensPerS: 1e6, tokensPerS: 1e3 };
    await using setup = await oneEngine(limits, { models: [roomy] });
    const filler = { ...small, max_tokens: 1, stream: true, user: '' };
    const room = 65_536 - JSON.stringify(filler).length;
    const answer = await ask(setup.router.url + chatPath, { body: { ...filler, user: 'u'.repeat(room) } })
      .answer;
    expect(answer.status).toBe(200);
    expect((await setup.posts())[0]?.bodyBytes).toBe(65_536);
  });
});

describe('bytes that are no request', () => {
  test('get 431 when the head is too large', async () => {
    await using setup = await oneEngine({ limits: { header: '4KiB' } });
    using client = await connectRaw(setup.router.url);
    client.socket.write(`GET /v1/models HTTP/1.1\r\nHost: r\r\nX-Big: ${'b'.repeat(8000)}\r\n\r\n`);
    expect(await client.all()).toMatch(/^HTTP\/1\.1 431 [\s\S]*x-request-id[\s\S]*limits\.header/);
    expect(client.ended()).toBe('closed');
  });

  test.each([
    ['nonsense', 'this is no HTTP\r\n\r\n'],
    ['another protocol', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['two lengths', 'POST /x HTTP/1.1\r\nHost: r\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'a length and a coding',
      'POST /x HTTP/1.1\r\nHost: r\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a blank before the colon', 'GET /v1/models HTTP/1.1\r\nHost : r\r\n\r\n'],
    ['a head without a host', 'GET /v1/models HTTP/1.1\r\n\r\n'],
    ['a bad chunk', 'POST /x HTTP/1.1\r\nHost: r\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ])('get 400: %s', async (_name, bytes) => {
    await using setup = await oneEngine();
    using client = await connectRaw(setup.router.url);
    client.socket.write(bytes);
    expect(await client.all()).toMatch(/^HTTP\/1\.1 400 /);
    expect(await setup.posts()).toHaveLength(0);
    expect((await chat(setup.router.url).answer).status).toBe(200);
  });

  test('end a running stream without spoiling it when they follow its request', async () => {
    await using setup = await oneEngine({}, { models: [slow] });
    using client = await connectRaw(setup.router.url);
    client.socket.write(rawPost(chatPath, { ...small, max_tokens: 200, stream: true }));
    await client.receives(/data: /);
    client.socket.write('this is no HTTP\r\n\r\n');
    expect(await client.all()).not.toMatch(/HTTP\/1\.1 400/);
    await until(() => setup.engine.engine.state().models[0]?.slotsBusy === 0);
  });

  test('get 408 when they come too slowly', async () => {
    await using setup = await oneEngine({ limits: { bodyTimeout: '500ms' } });
    using client = await connectRaw(setup.router.url);
    client.socket.write(`POST ${chatPath} HTTP/1.1\r\nHost: r\r\nContent-Length: 50\r\n\r\n{"model":`);
    expect(await client.all()).toMatch(/^HTTP\/1\.1 408 [\s\S]*limits\.bodyTimeout/);
    await until(async () => (await setup.router.status()).requests.in_flight === 0);
  });
});

test('limits.bodyTimeout is taken over by a reload', async () => {
  await using setup = await oneEngine();
  const url = setup.engine.url;
  await setup.router.reload({ backends: { one: { url } }, limits: { bodyTimeout: '500ms' } });
  using client = await connectRaw(setup.router.url);
  client.socket.write(`POST ${chatPath} HTTP/1.1\r\nHost: r\r\nContent-Length: 50\r\n\r\n{"model":`);
  expect(await client.all()).toMatch(/^HTTP\/1\.1 408 /);
});

test('a connection over limits.connections gets 503 with Retry-After, and there is room again when one closes', async () => {
  await using setup = await oneEngine({ limits: { connections: 4 } });
  const open: RawClient[] = [];
  const get = async () => {
    const client = await connectRaw(setup.router.url);
    open.push(client);
    client.socket.write('GET /health HTTP/1.1\r\nHost: r\r\n\r\n');
    return client.receives(/}$/);
  };
  const answers = [await get(), await get(), await get(), await get(), await get()];
  expect(answers[0]).toMatch(/^HTTP\/1\.1 200/);
  expect(answers[4]).toMatch(
    /^HTTP\/1\.1 503 Service Unavailable[\s\S]*retry-after: \d[\s\S]*"too_many_connections"/,
  );
  for (const client of open) client.socket.destroy();
  await until(async () => (await get()).startsWith('HTTP/1.1 200'));
  for (const client of open) client.socket.destroy();
});

describe('unusual but valid clients', () => {
  test('pipelined requests are answered in order', async () => {
    await using setup = await oneEngine();
    using client = await connectRaw(setup.router.url);
    client.socket.write(
      rawPost(chatPath, { ...small, max_tokens: 20 }) +
        'GET /health HTTP/1.1\r\nHost: r\r\n\r\n' +
        rawPost('/tokenize', { content: 'x' }),
    );
    await client.receives(/chat\.completion[\s\S]*"status":"ok"[\s\S]*"tokens"/);
  });

  test('a client that leaves takes its pipelined requests along', async () => {
    await using setup = await oneEngine({}, { slots: 2, models: [slow] });
    using client = await connectRaw(setup.router.url);
    const body = { ...small, max_tokens: 2000, stream: true };
    client.socket.write(rawPost(chatPath, body) + rawPost(chatPath, body));
    await until(() => setup.engine.engine.state().models[0]?.slotsBusy === 2);
    await client.receives(/data: /);
    client.socket.destroy();
    await until(() => setup.requestLines().length === 2, 3000);
    await until(() => setup.engine.engine.state().models[0]?.slotsBusy === 0, 3000);
  });

  test('Expect: 100-continue is invited to go on, or refused before it sends', async () => {
    await using setup = await oneEngine({ limits: { body: '1KiB' } });
    using client = await connectRaw(setup.router.url);
    const body = JSON.stringify(small);
    client.socket.write(
      `POST ${chatPath} HTTP/1.1\r\nHost: r\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    await client.receives(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    client.socket.write(body);
    await client.receives(/HTTP\/1\.1 200 OK/);
    expect((await setup.posts())[0]?.rawHead.toLowerCase()).not.toContain('expect');
    using other = await connectRaw(setup.router.url);
    other.socket.write(
      `POST ${chatPath} HTTP/1.1\r\nHost: r\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n`,
    );
    expect(await other.all()).toMatch(/^HTTP\/1\.1 413 /);
  });

  test.each([
    ['1s', true],
    ['0s', false],
  ])(
    'Expect: 100-continue is put to an engine with expectContinue: %s: %s',
    async (expectContinue, isAsked) => {
      const engine = await startFakeEngine();
      const backends = { one: { url: engine.url, timeouts: { expectContinue } } };
      await using router = await startRouter({ backends });
      await router.ready();
      using client = await connectRaw(router.url);
      const body = JSON.stringify(small);
      client.socket.write(
        `POST ${chatPath} HTTP/1.1\r\nHost: r\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      await client.receives(/HTTP\/1\.1 200 OK/);
      const { requests } = await engine.report();
      await engine.close();
      const heads = requests
        .filter(({ method }) => method === 'POST')
        .map(({ rawHead }) => rawHead.toLowerCase());
      expect(heads.map((head) => head.includes('expect: 100-continue'))).toEqual([isAsked]);
    },
  );

  test('HTTP/1.0 gets a whole answer without chunks, and the end of the connection', async () => {
    await using setup = await oneEngine();
    for (const stream of [false, true]) {
      using client = await connectRaw(setup.router.url);
      const body = JSON.stringify({ ...small, stream });
      client.socket.write(`POST ${chatPath} HTTP/1.0\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      const text = await client.all();
      expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
      expect(text.toLowerCase()).not.toContain('transfer-encoding');
      expect(text).toMatch(stream ? /data: \[DONE\]\n\n$/ : /}$/);
    }
  });

  test('HEAD and OPTIONS work, and a HEAD has no body', async () => {
    await using setup = await oneEngine();
    using client = await connectRaw(setup.router.url);
    client.socket.write(
      'HEAD /v1/models HTTP/1.1\r\nHost: r\r\n\r\nHEAD /lora-adapters HTTP/1.1\r\nHost: r\r\n\r\n',
    );
    client.socket.write('HEAD /health HTTP/1.1\r\nHost: r\r\nConnection: close\r\n\r\n');
    const text = await client.all();
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(3);
    expect(text).not.toMatch(/[[{]/);
    const options = await ask(`${setup.router.url}${chatPath}`, { method: 'OPTIONS' }).answer;
    expect(options.status).toBe(200);
  });

  test('an upgrade that is no WebSocket is ignored, as HTTP asks for', async () => {
    await using setup = await oneEngine();
    using client = await connectRaw(setup.router.url);
    const streamed = { ...small, stream: true };
    client.socket.write(
      rawPost(chatPath, streamed, [
        'Connection: Upgrade, HTTP2-Settings',
        'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
      ]),
    );
    await client.receives(/^HTTP\/1\.1 200 OK[\s\S]*chat\.completion/);
    const [seen] = await setup.posts();
    expect(seen?.rawHead.toLowerCase()).not.toMatch(/upgrade|http2-settings/);
    expect(seen?.body).toBe(JSON.stringify(streamed));
  });

  test('the absolute form of a path works', async () => {
    await using setup = await oneEngine();
    using client = await connectRaw(setup.router.url);
    const body = JSON.stringify(small);
    client.socket.write(
      `POST http://example.org${chatPath} HTTP/1.1\r\nHost: r\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await client.receives(/HTTP\/1\.1 200 OK/);
    expect((await setup.posts())[0]?.path).toBe(chatPath);
  });

  test('a connection serves many requests of a keep-alive agent', async () => {
    await using setup = await oneEngine();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let index = 0; index < 20; index += 1) {
      await new Promise<void>((resolve, reject) => {
        const request = httpRequest(setup.router.url + chatPath, { method: 'POST', agent }, (response) => {
          ports.add(response.socket.localPort);
          response.resume().on('end', resolve);
        });
        request.on('error', reject);
        request.end(JSON.stringify(small));
      });
    }
    agent.destroy();
    expect(ports.size).toBe(1);
  });
});

describe('bodies', () => {
  test('broken JSON gets 400, from the engine where the model can be read', async () => {
    await using setup = await oneEngine();
    const answer = await ask(setup.router.url + chatPath, { body: '{"model":"tiny","messages":[' }).answer;
    expect(answer.status).toBe(400);
    expect(answer.json()).toHaveProperty('error.message');
    const nothing = await ask(setup.router.url + chatPath, { body: 'not json at all' }).answer;
    expect(nothing.status).toBe(400);
    expect((await ask(setup.router.url + chatPath, { method: 'POST' }).answer).status).toBe(400);
  });

  test('multipart uploads are routed by their model and arrive byte by byte', async () => {
    await using a = await startFakeEngineAsDisposable('speech');
    await using b = await startFakeEngineAsDisposable('tiny');
    for (const { engine } of [a, b]) {
      await engine.fault({
        kind: 'status',
        status: 200,
        body: '{"text":"heard"}',
        path: '/v1/audio/transcriptions',
      });
    }
    await using router = await startRouter({
      backends: { a: { url: a.engine.url }, b: { url: b.engine.url } },
    });
    await router.ready();
    const sound = randomBytes(300_000);
    const form = new FormData();
    form.set('file', new Blob([sound], { type: 'audio/wav' }), 'sound.wav');
    form.set('model', 'speech');
    form.set('response_format', 'json');
    const encoded = new Response(form);
    const type = encoded.headers.get('content-type') ?? '';
    const body = Buffer.from(await encoded.arrayBuffer());
    const answer = await ask(`${router.url}/v1/audio/transcriptions`, {
      body,
      headers: { 'content-type': type },
    }).answer;
    expect([answer.status, answer.headers['x-llamero-backend'], answer.json()]).toEqual([
      200,
      'a',
      { text: 'heard' },
    ]);
    const seen = (await a.engine.report()).requests.find(({ method }) => method === 'POST');
    expect(seen?.bodySha256).toBe(createHash('sha256').update(body).digest('hex'));
    expect(seen?.headers).toContain(type);
  });

  test('a batch of inputs may be longer than the context that each of them has', async () => {
    await using setup = await oneEngine({}, { embeddings: true });
    const input = Array.from({ length: 400 }, (_, index) => `${index} ${'the river '.repeat(20)}`);
    const answer = await ask(`${setup.router.url}/v1/embeddings`, { body: { model: 'tiny', input } }).answer;
    expect([answer.status, (answer.json()['data'] as unknown[]).length]).toEqual([200, 400]);
  });

  test('urlencoded bodies and the query are routed by their model', async () => {
    await using a = await startFakeEngineAsDisposable('one');
    await using b = await startFakeEngineAsDisposable('two');
    for (const { engine } of [a, b]) await engine.fault({ kind: 'status', status: 200, path: '/v1/audio/*' });
    await using router = await startRouter({
      backends: { a: { url: a.engine.url }, b: { url: b.engine.url } },
    });
    await router.ready();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const by = async (path: string, body: string) =>
      (await ask(router.url + path, { body, headers }).answer).headers['x-llamero-backend'];
    expect(await by('/v1/audio/speech', 'input=x&model=two')).toBe('b');
    expect(await by('/v1/audio/speech', 'input=x&model=one')).toBe('a');
    expect(await by('/v1/audio/speech?model=two', 'input=x')).toBe('b');
  });
});

async function startFakeEngineAsDisposable(model: string) {
  const engine = await startFakeEngine({
    models: [{ id: model, contextTokens: 4096, promptTokensPerS: 1e4, tokensPerS: 1e3 }],
  });
  return { engine, [Symbol.asyncDispose]: () => engine.close() };
}
