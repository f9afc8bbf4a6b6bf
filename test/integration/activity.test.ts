/** What is remembered of requests: rows, sums and captures, as llama-swap's clients read them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  activitySchema,
  activityStatsSchema,
  captureSchema,
  type ActivityEntry,
} from '../../src/admin/contract-activity.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from './client.ts';
import { fakeCommand, withModels } from './fake-models.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

/** Makes it a router whose requests are captured. */
const peers = { away: { proxy: 'http://127.0.0.1:9', models: ['nothing'] } };

async function oneEngine(config: object = {}) {
  const engine = await startFakeEngine();
  const router = await startRouter({ backends: { one: { url: engine.url } }, peers, ...config });
  await router.ready(['one']);
  return {
    engine,
    router,
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await engine.close();
    },
  };
}

const activityUrl = (router: TestRouter, query = '') => `${router.url}/api/metrics/activity${query}`;

async function activity(router: TestRouter, query = '') {
  return activitySchema.parse((await ask(activityUrl(router, query)).answer).json());
}

/** The newest row; a request is remembered a moment after its last byte. */
async function newest(router: TestRouter, count: number): Promise<ActivityEntry> {
  let found: ActivityEntry | undefined;
  await until(async () => {
    const { data, total } = await activity(router);
    found = total >= count ? data[0] : undefined;
    return found !== undefined;
  });
  if (found === undefined) throw new Error('nothing');
  return found;
}

async function captureOf(router: TestRouter, id: number) {
  return captureSchema.parse((await ask(`${router.url}/api/captures/${id}`).answer).json());
}

const decode = (text: string) => Buffer.from(text, 'base64').toString();

describe('a row', () => {
  test('MET-1, ACT-1: has the tokens, rates and times of a request, and nothing is there before', async () => {
    await using setup = await oneEngine();
    const { router } = setup;
    expect(await activity(router)).toEqual({ data: [], page: 1, limit: 25, total: 0, total_pages: 0 });
    const answer = await chat(router.url, { stream: true, max_tokens: 8 }).answer;
    const row = await newest(router, 1);
    expect(row).toMatchObject({
      id: 1,
      model: 'tiny',
      req_path: '/v1/chat/completions',
      resp_content_type: 'text/event-stream',
      resp_status_code: 200,
      outcome: 'completed',
      backend_id: 'one',
      has_capture: true,
      metadata: { fifo_priority: '0' },
      request_id: answer.headers['x-request-id'],
    });
    expect(row.tokens.output_tokens).toBe(8);
    expect(row.tokens.input_tokens).toBeGreaterThan(0);
    expect(row.tokens.tokens_per_second).toBeGreaterThan(0);
    expect(row.duration_ms).toBeGreaterThanOrEqual(row.generation_ms);
    expect(row.error_msg).toBeUndefined();
  });

  test('MET-2, MET-3: of an error has its message, and a capture of the request alone', async () => {
    await using setup = await oneEngine();
    const { router, engine } = setup;
    await engine.fault({
      kind: 'status',
      status: 400,
      body: '{"error":{"message":"context too long"}}',
      times: 1,
    });
    await chat(router.url).answer;
    const row = await newest(router, 1);
    expect(row).toMatchObject({ resp_status_code: 400, error_msg: 'context too long', has_capture: true });
    const capture = await captureOf(router, row.id);
    expect(decode(capture.req_body)).toContain('tell me of the river');
    expect(capture.resp_body).toBe('');
    expect(capture.resp_headers).toHaveProperty('x-llamero-backend', 'one');
    await engine.fault({ kind: 'status', status: 404, body: 'gone', times: 1 });
    await chat(router.url).answer;
    expect((await newest(router, 2)).error_msg).toBe('404 Not Found');
    await chat(router.url, { model: 'nobody' }).answer;
    const unknown = await newest(router, 3);
    expect([unknown.resp_status_code, unknown.model]).toEqual([404, 'nobody']);
    expect(unknown.error_msg).toMatch(/No backend serves model 'nobody'/);
  });

  test('MET-2: says which selector chose, and its priority', async () => {
    const more = {
      selectors: { pick: { strategy: 'pin', targets: ['m'] } },
      routing: { scheduler: { use: 'fifo', settings: { fifo: { priority: { m: 7 } } } } },
    };
    await using router = await startRouter(await withModels({ m: {} }, more));
    await chat(router.url, { model: 'pick' }).answer;
    expect(await newest(router, 1)).toMatchObject({
      model: 'm',
      metadata: { selector: 'pick', fifo_priority: '7' },
    });
  });

  test('tells the loading of the model from the rest of the wait', async () => {
    await using router = await startRouter(
      await withModels({ m: { cmd: fakeCommand('m', '--load-ms 500') } }),
    );
    await chat(router.url, { model: 'm' }).answer;
    const first = await newest(router, 1);
    expect(first.load_ms).toBeGreaterThanOrEqual(500);
    expect(first.queued_ms).toBeGreaterThanOrEqual(first.load_ms);
    await chat(router.url, { model: 'm' }).answer;
    expect((await newest(router, 2)).load_ms).toBe(0);
  });

  test('SRV-12: is made of a POST on an inference route below /upstream, too, and of nothing else there', async () => {
    await using router = await startRouter(await withModels({ m: {} }));
    const body = { messages: [{ role: 'user', content: 'x' }], max_tokens: 2 };
    await ask(`${router.url}/upstream/m/props`).answer;
    await ask(`${router.url}/upstream/m/anything`, { body }).answer;
    await ask(`${router.url}/upstream/m/v1/chat/completions`, { body }).answer;
    expect(await newest(router, 1)).toMatchObject({ id: 1, model: 'm', req_path: '/v1/chat/completions' });
  });
});

describe('the list', () => {
  test('ACT-1: is filtered and paged', async () => {
    await using setup = await oneEngine();
    const { router } = setup;
    for (let index = 0; index < 3; index += 1) await chat(router.url).answer;
    await chat(router.url, { model: 'other' }).answer;
    const last = await newest(router, 4);
    const ids = async (query: string) => (await activity(router, query)).data.map(({ id }) => id);
    expect(await ids('?model=tiny&model=none&order=asc')).toEqual([1, 2, 3]);
    expect(await ids('?model=&min_id=2&max_id=3')).toEqual([3, 2]);
    expect(await ids('?sort=model&order=asc&limit=1')).toEqual([4]);
    const stamp = encodeURIComponent(last.timestamp);
    expect(await ids(`?start=${stamp}&end=${stamp}&model=other`)).toEqual([4]);
    expect(await ids('?end=2001-01-01T00:00:00%2B02:00')).toEqual([]);
    expect(await activity(router, '?limit=3&page=2')).toMatchObject({
      page: 2,
      limit: 3,
      total: 4,
      total_pages: 2,
      data: [{ id: 1 }],
    });
  });

  test.each([
    'limit=x',
    'limit=0',
    'limit=1000',
    'page=0',
    'page=-1',
    'min_id=0',
    'max_id=1.5',
    'min_id=5&max_id=4',
    'start=yesterday',
    'start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z',
    'sort=nothing',
    'order=up',
    'limit=1&limit=2',
  ])('ACT-1: refuses %s', async (query) => {
    await using router = await startRouter({});
    expect((await ask(activityUrl(router, `?${query}`)).answer).status).toBe(400);
  });

  test('ACT-2: has sums and histograms, of all models or some', async () => {
    await using setup = await oneEngine();
    const { router } = setup;
    const stats = async (query: string) =>
      activityStatsSchema.parse((await ask(`${router.url}/api/metrics/stats${query}`).answer).json());
    expect(await stats('')).toMatchObject({ total_requests: 0, prompt_histogram: null, gen_histogram: null });
    for (let index = 0; index < 3; index += 1) await chat(router.url, { max_tokens: 4 }).answer;
    await newest(router, 3);
    const all = await stats('');
    expect(all).toMatchObject({ total_requests: 3, total_output_tokens: 12 });
    expect(all.gen_histogram?.bins.reduce((sum, bin) => sum + bin, 0)).toBe(3);
    expect(await stats('?model=none')).toMatchObject({ total_requests: 0, gen_histogram: null });
  });
});

describe('captures', () => {
  test('MET-7: have the whole request and answer, credentials masked', async () => {
    await using setup = await oneEngine({ apiKeys: ['secret-key'] });
    const { router } = setup;
    const headers = { authorization: 'Bearer secret-key', 'x-note': 'hello' };
    const answer = await chat(router.url, { stream: true }, { headers }).answer;
    const read = (path: string) => ask(router.url + path, { headers }).answer;
    await until(async () => (await read('/api/captures/1')).status === 200);
    const capture = captureSchema.parse((await read('/api/captures/1')).json());
    expect(decode(capture.resp_body)).toBe(answer.body.toString());
    expect(decode(capture.req_body)).toContain('tell me of the river');
    expect(capture.req_headers).toMatchObject({ authorization: '[REDACTED]', 'x-note': 'hello' });
    expect(JSON.stringify(capture)).not.toContain('secret-key');
    expect((await read('/api/captures/2')).status).toBe(404);
    expect((await read('/api/captures/x')).status).toBe(400);
    expect((await ask(`${router.url}/api/captures/1`).answer).status).toBe(401);
  });

  test('are none of a router that has neither models nor peers', async () => {
    await using setup = await oneEngine({ peers: {} });
    await chat(setup.router.url, {}).answer;
    expect((await newest(setup.router, 1)).has_capture).toBe(false);
  });

  test('MET-7: are none with captureBuffer 0', async () => {
    await using setup = await oneEngine({ captureBuffer: 0 });
    await chat(setup.router.url).answer;
    const row = await newest(setup.router, 1);
    expect(row.has_capture).toBe(false);
    expect((await ask(`${setup.router.url}/api/captures/${row.id}`).answer).status).toBe(404);
  });

  test('and rows survive a reload', async () => {
    await using setup = await oneEngine();
    const { router, engine } = setup;
    await chat(router.url).answer;
    await newest(router, 1);
    await router.reload({ backends: { one: { url: engine.url } }, peers, globalTTL: 5 });
    expect(await newest(router, 1)).toMatchObject({ id: 1, has_capture: true });
  });
});

test('STO-1: rows in a file survive the router', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-activity-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const store = { path: join(folder, 'activity.db') };
  {
    await using setup = await oneEngine({ store });
    await chat(setup.router.url).answer;
    await newest(setup.router, 1);
  }
  await using setup = await oneEngine({ store });
  expect(await newest(setup.router, 1)).toMatchObject({ id: 1, has_capture: false });
  await chat(setup.router.url).answer;
  expect(await newest(setup.router, 2)).toMatchObject({ id: 2, has_capture: true });
});

test('metricsMaxInMemory bounds what is remembered', async () => {
  await using setup = await oneEngine({ metricsMaxInMemory: 2 });
  for (let index = 0; index < 5; index += 1) await chat(setup.router.url).answer;
  await until(async () => {
    const { data } = await activity(setup.router);
    return data.map(({ id }) => id).join() === '5,4';
  });
});
