import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from './client.ts';
import { startRouter, until } from './start-router.ts';

async function oneEngine(
  options: Parameters<typeof startFakeEngine>[0] = {},
  backend: object = {},
  config: object = {},
) {
  const engine = await startFakeEngine(options);
  const router = await startRouter({ backends: { one: { url: engine.url, ...backend } }, ...config });
  await router.ready();
  await engine.reset();
  return {
    engine,
    router,
    posts: async () => (await engine.report()).requests.filter(({ method }) => method === 'POST'),
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await engine.close();
    },
  };
}

/** The body of a logged response, transfer coding taken off. */
function bodyOf(responseBase64: string): Buffer {
  const whole = Buffer.from(responseBase64, 'base64');
  const headEnd = whole.indexOf('\r\n\r\n') + 4;
  const head = whole.subarray(0, headEnd).toString('latin1').toLowerCase();
  if (!head.includes('transfer-encoding: chunked')) return whole.subarray(headEnd);
  const parts: Buffer[] = [];
  for (let at = headEnd; ;) {
    const lineEnd = whole.indexOf('\r\n', at);
    const size = Number.parseInt(whole.subarray(at, lineEnd).toString('latin1'), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(whole.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

describe('the relay', () => {
  test('passes a request body byte by byte, odd spacing and big numbers included', async () => {
    await using setup = await oneEngine();
    const body =
      '{ "seed":12345678901234567890 ,\n"model" : "tiny","messages":[{"role":"user","content":"h\\u00e9"}], "max_tokens":2, "stream" :true}';
    const { status } = await ask(`${setup.router.url}/v1/chat/completions?x=%2F`, {
      body,
      headers: { 'content-type': 'text/plain' },
    }).answer;
    expect(status).toBe(200);
    const [seen] = await setup.posts();
    expect(seen?.body).toBe(body);
    expect(seen?.path).toBe('/v1/chat/completions?x=%2F');
  });

  test.each([
    ['as the engine writes it', undefined],
    ['in one-byte writes', { kind: 'split' } as const],
    ['cut inside characters', { kind: 'splitUtf8' } as const],
  ])('passes a stream byte by byte, %s', async (_name, fault) => {
    await using setup = await oneEngine({ text: 'mixed' });
    if (fault !== undefined) await setup.engine.fault(fault);
    const answer = await chat(setup.router.url, { stream: true, max_tokens: 12 }).answer;
    const [seen] = await setup.posts();
    expect(answer.complete).toBe(true);
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect(answer.body.equals(bodyOf(seen?.responseBase64 ?? ''))).toBe(true);
    expect(answer.body.toString()).toContain('data: [DONE]');
  });

  test('sends each chunk on before the engine writes the next', async () => {
    await using setup = await oneEngine({
      models: [{ id: 'tiny', contextTokens: 4096, promptTokensPerS: 50_000, tokensPerS: 20 }],
    });
    let chunks = 0;
    let chunksAtThird = 0;
    const asking = chat(
      setup.router.url,
      { stream: true, max_tokens: 10 },
      {
        onChunk() {
          chunks += 1;
          if (chunks === 3) chunksAtThird = setup.engine.engine.state().models[0]?.slotsBusy ?? 0;
        },
      },
    );
    await asking.answer;
    expect(chunks).toBeGreaterThan(5);
    expect(chunksAtThird, 'the engine is still at work when the third chunk is here').toBe(1);
  });

  test('reads usage and timings on the side', async () => {
    await using setup = await oneEngine();
    await chat(setup.router.url, { stream: true }).answer;
    await until(() => setup.router.logLines.some(({ msg }) => msg === 'request'));
    expect(setup.router.logLines.find(({ msg }) => msg === 'request')).toMatchObject({
      outcome: 'completed',
      status: 200,
      model: 'tiny',
      backend: 'one',
      tokensOut: 8,
    });
  });

  test('gives credentials of the backend, never those of the client', async () => {
    await using setup = await oneEngine(
      { apiKey: 'engine-key' },
      { apiKey: 'engine-key' },
      { apiKeys: ['client-key'] },
    );
    const { status, headers } = await chat(
      setup.router.url,
      {},
      { headers: { 'x-api-key': 'client-key', authorization: 'Bearer client-key', 'api-key': 'client-key' } },
    ).answer;
    expect(status).toBe(200);
    expect(headers['x-request-id']).toMatch(/^[\da-f-]{36}$/);
    const [seen] = await setup.posts();
    expect(seen?.rawHead).not.toContain('client-key');
    expect(seen?.rawHead.toLowerCase()).toContain('authorization: bearer engine-key');
  });

  test('never forwards x-conversation-id to llama.cpp', async () => {
    await using setup = await oneEngine();
    await chat(setup.router.url, {}, { headers: { 'x-conversation-id': 'c1', 'x-other': 'kept' } }).answer;
    const [seen] = await setup.posts();
    expect(seen?.rawHead.toLowerCase()).not.toContain('x-conversation-id');
    expect(seen?.rawHead).toContain('x-other: kept');
  });

  test('slows the engine down for a client that does not read, and ends it when that client leaves', async () => {
    await using engine = await startEndlessEngine();
    await using router = await startRouter({ backends: { one: { url: engine.url, engine: 'openai' } } });
    await router.ready();
    const asking = chat(router.url, { stream: true });
    const response = await asking.head;
    response.pause();
    await until(() => engine.isHeldUp());
    expect(engine.bytesWritten()).toBeLessThan(64 * 1024 * 1024);
    asking.leave();
    await until(() => engine.ended());
  });
});

describe('paths', () => {
  test('lists the union of models, each once, and finds one by name or alias', async () => {
    const [a, b] = await Promise.all([
      startFakeEngine({
        models: [
          { id: 'org/one', aliases: ['uno'], contextTokens: 4096, promptTokensPerS: 1e4, tokensPerS: 1e3 },
        ],
      }),
      startFakeEngine({
        models: [{ id: 'two', contextTokens: 4096, promptTokensPerS: 1e4, tokensPerS: 1e3 }],
      }),
    ]);
    await using router = await startRouter({
      backends: {
        a: { url: a.url },
        b: { url: b.url },
        a2: { url: `${a.url}/`.replace('127.0.0.1', 'localhost') },
      },
    });
    await router.ready(['a', 'b']);
    const list = (await ask(`${router.url}/v1/models`).answer).json();
    expect((list['data'] as { id: string }[]).map(({ id }) => id).sort()).toEqual(['org/one', 'two']);
    expect((await ask(`${router.url}/v1/models/org/one`).answer).json()['id']).toBe('org/one');
    expect((await ask(`${router.url}/v1/models/org%2Fone`).answer).json()['id']).toBe('org/one');
    expect((await ask(`${router.url}/v1/models/uno`).answer).json()['id']).toBe('org/one');
    expect((await ask(`${router.url}/v1/models/three`).answer).status).toBe(404);
    const byAlias = await ask(`${router.url}/v1/embeddings`, { body: { model: 'uno', input: 'x' } }).answer;
    expect(byAlias.headers['x-llamero-backend']).toMatch(/^a/);
    await Promise.all([a.close(), b.close()]);
  });

  test.each([
    ['POST', '/tokenize', { content: 'the river' }],
    ['POST', '/apply-template', { messages: [{ role: 'user', content: 'x' }] }],
    ['POST', '/v1/messages/count_tokens', { messages: [{ role: 'user', content: 'x' }] }],
    ['GET', '/props', undefined],
    ['GET', '/slots', undefined],
    ['POST', '/completion', { prompt: 'the river', n_predict: 3 }],
    ['POST', '/v1/completions', { prompt: 'the river', max_tokens: 3 }],
    ['POST', '/infill', { input_prefix: 'a', input_suffix: 'b', n_predict: 2 }],
    ['POST', '/v1/responses', { input: 'x', max_output_tokens: 3 }],
    ['POST', '/v1/messages', { messages: [{ role: 'user', content: 'x' }], max_tokens: 3 }],
  ])('%s %s reaches the engine', async (method, path, body) => {
    await using setup = await oneEngine();
    const answer = await ask(setup.router.url + path, { method, ...(body === undefined ? {} : { body }) })
      .answer;
    expect([answer.status, answer.body.toString().slice(0, 300)]).toEqual([200, expect.any(String)]);
    expect(answer.headers['x-llamero-backend']).toBe('one');
  });

  test('tokenising does not wait for a slot', async () => {
    await using setup = await oneEngine({
      slots: 1,
      models: [{ id: 'tiny', contextTokens: 4096, promptTokensPerS: 1e4, tokensPerS: 20 }],
    });
    const busy = chat(setup.router.url, { stream: true, max_tokens: 500 });
    await busy.head;
    expect((await ask(`${setup.router.url}/tokenize`, { body: { content: 'x' } }).answer).status).toBe(200);
    busy.leave();
  });

  test('an unknown path is tried on every live backend until one knows it', async () => {
    const [a, b] = await Promise.all([startFakeEngine(), startFakeEngine()]);
    await b.fault({ kind: 'status', status: 200, body: '<html>', path: '/ui/index.html' });
    await using router = await startRouter({ backends: { a: { url: a.url }, b: { url: b.url } } });
    await router.ready();
    const answer = await ask(`${router.url}/ui/index.html`).answer;
    expect([answer.status, answer.body.toString()]).toEqual([200, '<html>']);
    expect(answer.headers['x-llamero-attempts']).toBe('a (status 404), b');
    const nowhere = await ask(`${router.url}/nowhere`).answer;
    expect(nowhere.status).toBe(404);
    expect(nowhere.json()).toMatchObject({ error: { message: 'File Not Found' } });
    await Promise.all([a.close(), b.close()]);
  });
});

/** Writes a stream as fast as it is taken. */
async function startEndlessEngine() {
  let bytes = 0;
  let heldUpAtMs = 0;
  let ended = false;
  const chunk = Buffer.from(
    `data: ${JSON.stringify({ choices: [{ delta: { content: 'x'.repeat(16_000) } }] })}\n\n`,
  );
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      response.writeHead(request.url === '/v1/models' ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ object: 'list', data: [{ id: 'tiny', object: 'model' }] }));
      return;
    }
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const write = () => {
      heldUpAtMs = 0;
      while (!response.destroyed) {
        bytes += chunk.length;
        if (response.write(chunk)) continue;
        heldUpAtMs = performance.now();
        response.once('drain', write);
        return;
      }
    };
    response.on('close', () => {
      ended = true;
    });
    write();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    isHeldUp: () => heldUpAtMs > 0 && performance.now() - heldUpAtMs > 300,
    bytesWritten: () => bytes,
    ended: () => ended,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
