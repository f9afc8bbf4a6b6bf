/** Routes that llama-swap's clients use, beside those of the OpenAI API. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, type AskOptions } from './client.ts';
import { withModels } from './fake-models.ts';
import { startRouter, type TestRouter } from './start-router.ts';

interface Seen {
  readonly method: string;
  readonly path: string;
}

describe('a router with processes alone', () => {
  let router: TestRouter;
  beforeAll(async () => {
    router = await startRouter(await withModels({ m: {} }));
  });
  afterAll(() => router[Symbol.asyncDispose]());
  const get = (path: string, options: AskOptions = {}) => ask(router.url + path, options).answer;

  test('SRV-2: takes /v and /audioapi off, at the beginning of a path only', async () => {
    const body = { model: 'm', messages: [{ role: 'user', content: 'x' }], max_tokens: 2 };
    for (const path of ['/v/chat/completions', '/audioapi/v1/tasks/run', '/v/rerank', '/sdapi/v1/txt2img']) {
      await get(path, { body });
    }
    const report = await get('/upstream/m/__requests');
    const seen = (report.json() as unknown as { requests: Seen[] }).requests;
    const posts = seen.filter(({ method }) => method === 'POST').map(({ path }) => path);
    expect(posts).toEqual(['/chat/completions', '/v1/tasks/run', '/rerank', '/sdapi/v1/txt2img']);
    expect((await get('/v1/v/chat/completions', { body })).status).toBe(404);
    expect((await get('/v/nothing', { body })).status).toBe(404);
  });

  test('asks the model that the query names for its voices, LoRAs and props', async () => {
    for (const path of ['/v1/audio/voices', '/sdapi/v1/loras', '/props']) {
      const { headers } = await get(`${path}?model=m`);
      expect([path, headers['x-llamero-backend']]).toEqual([path, 'm']);
    }
  });

  test('SRV-1: knows no unknown path', async () => {
    const answer = await get('/nothing/here');
    expect([answer.status, answer.json()]).toMatchObject([
      404,
      { error: { code: 'not_found', param: null } },
    ]);
    const page = await get('/nothing/here', { headers: { accept: 'text/html' } });
    expect([page.status, page.headers['content-type']]).toEqual([404, 'text/html; charset=utf-8']);
  });

  test.each([
    ['GET', '/v1/chat/completions', 'POST'],
    ['DELETE', '/v1/embeddings', 'POST'],
    ['GET', '/v/chat/completions', 'POST'],
    ['DELETE', '/props', 'GET, HEAD, POST'],
  ])('says that %s %s takes %s, in the envelope', async (method, path, allow) => {
    const answer = await get(path, { method });
    expect([answer.status, answer.headers['allow'], answer.json()]).toMatchObject([
      405,
      allow,
      { error: { type: 'invalid_request_error', code: 'method_not_allowed' } },
    ]);
  });

  test("answers in the shape of the Messages API on that API's paths", async () => {
    const answer = await get('/v1/messages', { headers: { accept: 'text/html' } });
    expect([answer.status, answer.json()]).toMatchObject([405, { type: 'error' }]);
  });

  test('SRV-14: sends a browser that asks for / to its page, and everybody from /upstream', async () => {
    const page = await get('/', { headers: { accept: 'text/html,*/*' } });
    expect([page.status, page.headers['location']]).toEqual([302, '/monitor']);
    expect((await get('/')).body.toString()).toBe('Ollama is running');
    const old = await get('/ui/models', { headers: { accept: 'text/html,*/*' } });
    expect([old.status, old.headers['location']]).toEqual([302, '/monitor']);
    const upstream = await get('/upstream');
    expect([upstream.status, upstream.headers['location']]).toEqual([302, '/monitor']);
  });
});

test('the page of an engine that nobody has to name stays at /', async () => {
  const engine = await startFakeEngine();
  await using router = await startRouter({ backends: { one: { url: engine.url } } });
  await router.ready();
  const answer = await ask(router.url, { headers: { accept: 'text/html' } }).answer;
  expect(answer.status).not.toBe(302);
  await engine.close();
});

describe('pages of another origin', () => {
  const preflight = (path: string, url: string) =>
    ask(url + path, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://example.org',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, bad header',
      },
    }).answer;

  test('SRV-1, UTL-7: get an answer to a preflight on the data plane, without a key, and none on the control plane', async () => {
    await using router = await startRouter(await withModels({ m: {} }, { apiKeys: ['secret'] }));
    const answer = await preflight('/v1/chat/completions', router.url);
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE, OPTIONS',
      'access-control-allow-headers': 'authorization',
      'access-control-max-age': '86400',
    });
    const control = await preflight('/api/reload', router.url);
    expect(control.headers['access-control-allow-origin']).toBeUndefined();
    const headers = { origin: 'https://example.org', authorization: 'Bearer secret' };
    const read = await ask(`${router.url}/v1/chat/completions`, { headers }).answer;
    expect(read.headers['access-control-allow-origin']).toBe('*');
  });

  test('may, without keys, send no more than a form can, and read only the list of models', async () => {
    await using router = await startRouter(await withModels({ m: {} }));
    const answer = await preflight('/v1/chat/completions', router.url);
    expect([answer.status, answer.headers['access-control-allow-methods']]).toEqual([
      204,
      'GET, POST, OPTIONS',
    ]);
    const headers = { origin: 'https://example.org' };
    const read = await ask(`${router.url}/v1/chat/completions`, { headers }).answer;
    expect(read.headers['access-control-allow-origin']).toBeUndefined();
    const list = await ask(`${router.url}/v1/models`, { headers }).answer;
    expect(list.headers['access-control-allow-origin']).toBe('https://example.org');
  });
});

describe('UTL-3, UTL-8: the key', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  test.each<[string, Record<string, string>, number]>([
    ['of a bearer', { authorization: 'bearer one' }, 200],
    ['in x-api-key', { 'x-api-key': 'one' }, 200],
    ['as a password', { authorization: basic('anybody:one') }, 200],
    ['as a password with a colon', { authorization: basic(':two:three') }, 200],
    ['beside a wrong one', { authorization: basic('x:wrong'), 'x-api-key': 'one' }, 200],
    ['beside a Basic without a password', { authorization: 'Basic !!!', 'x-api-key': 'one' }, 200],
    ['as a user', { authorization: basic('one:') }, 401],
    [
      'as a password of a page of another site',
      { authorization: basic('x:one'), 'sec-fetch-site': 'cross-site' },
      401,
    ],
    ['that is wrong', { authorization: 'Bearer wrong' }, 401],
    ['that is missing', {}, 401],
  ])('%s', async (_name, headers, status) => {
    await using router = await startRouter({ apiKeys: ['one', 'two:three'] });
    const answer = await ask(`${router.url}/v1/models`, { headers }).answer;
    expect(answer.status).toBe(status);
    if (status === 401) expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  test('is asked of a person by the browser', async () => {
    await using router = await startRouter({ apiKeys: ['one'] });
    const answer = await ask(`${router.url}/logs`, { headers: { accept: 'text/html' } }).answer;
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([
      401,
      'Basic realm="llamero", charset="UTF-8"',
    ]);
  });
});
