import type { z } from 'zod';
import { describe, expect, test, vi } from 'vitest';
import { createFakeFleet, fakeStartEpochMs, type FakeFleet } from '../../test/fake-admin-deps.ts';
import { noUsage, type UsageCounts, type UsageKey } from '../store/usage-entry.ts';
import { createAdminApp } from './app.ts';
import { errorSchema } from './contract.ts';
import {
  endpointsSchema,
  statsSchema,
  tokenCountsSchema,
  usageKeysSchema,
  usageRowSchema,
  usageSchema,
  usageSeriesSchema,
} from './contract-usage.ts';

const [minuteMs, dayMs] = [60_000, 86_400_000];

function setUp() {
  const fleet = createFakeFleet();
  const app = createAdminApp(fleet.deps);
  async function read<Schema extends z.ZodType>(path: string, schema: Schema, status = 200) {
    const response = await app.request(path);
    expect(response.status).toBe(status);
    return schema.parse(await response.json());
  }
  return { fleet, app, read, use: useOf(fleet) };
}

const useOf =
  ({ usage }: FakeFleet) =>
  (changes: Partial<UsageKey & UsageCounts> = {}) => {
    const { flow = 'alice', backend = 'gpu-1', model = 'tiny', dialect = 'openai', ...counts } = changes;
    const usual = { ...noUsage, requests: 1, inputTokens: 100, outputTokens: 10 };
    usage.add({ key: { flow, backend, model, dialect }, counts: { ...usual, ...counts } });
  };

describe('GET /api/usage', () => {
  test('tells what runs and what was used, sorted by backend and model', async () => {
    const { app, fleet, read, use } = setUp();
    expect(await read('/api/usage', usageSchema)).toEqual({ usage_counts: {}, token_usage_counts: {} });
    fleet.open('r1', { backend: 'gpu-2', model: 'tiny', phase: 'streaming' });
    const second = fleet.open('r2', { backend: 'gpu-2', model: 'tiny', phase: 'waiting' });
    fleet.open('r3', { backend: 'gpu-1', model: '__proto__', phase: 'streaming' });
    fleet.open('r4', { backend: undefined, model: 'tiny', phase: 'queued' });
    use({ backend: 'gpu-2' });
    use();
    use({ backend: '', model: '', inputTokens: 0, outputTokens: 0, errors: 1 });
    const text = await (await app.request('/api/usage')).text();
    expect(text).toBe(
      '{"usage_counts":{"gpu-1":{"__proto__":1},"gpu-2":{"tiny":2}},"token_usage_counts":{"gpu-1":{"tiny":110},"gpu-2":{"tiny":110}}}',
    );
    fleet.deps.requests.finish(second, { outcome: 'completed', status: 200, errorCode: undefined });
    expect((await read('/api/usage', usageSchema)).usage_counts['gpu-2']).toEqual({ tiny: 1 });
  });
});

describe('GET /api/usage-stream', () => {
  test('begins with the state, tells every change, and beats while nothing happens', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
    try {
      const { fleet, app } = setUp();
      const response = await app.request('/api/usage-stream');
      expect(response.headers.get('content-type')).toBe('text/event-stream');
      const reader = response.body?.getReader();
      const next = async () => Buffer.from((await reader?.read())?.value ?? []).toString();
      expect(await next()).toBe('data: {"usage_counts":{},"token_usage_counts":{}}\n\n');
      const record = fleet.open('r1', { backend: 'gpu-1', model: 'tiny', phase: 'streaming' });
      fleet.deps.requests.changed(record);
      await vi.advanceTimersByTimeAsync(100);
      expect(await next()).toContain('"usage_counts":{"gpu-1":{"tiny":1}}');
      await vi.advanceTimersByTimeAsync(15_000);
      expect(await next()).toBe(':\n\n');
      await reader?.cancel();
    } finally {
      vi.useRealTimers();
    }
  });

  test('skips what is outdated for a reader that is slow', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
    try {
      const { fleet, app } = setUp();
      const reader = (await app.request('/api/usage-stream')).body?.getReader();
      for (let index = 0; index < 50; index += 1) {
        fleet.deps.requests.changed(
          fleet.open(`r${index}`, { backend: 'gpu-1', model: 'm', phase: 'waiting' }),
        );
        await vi.advanceTimersByTimeAsync(100);
      }
      const text = Buffer.from((await reader?.read())?.value ?? []).toString();
      expect(text).toBe('data: {"usage_counts":{"gpu-1":{"m":50}},"token_usage_counts":{}}\n\n');
      await reader?.cancel();
    } finally {
      vi.useRealTimers();
    }
  });
});

test('GET /api/token_counts has the sum and every backend and model, the most tokens first', async () => {
  const { read, use } = setUp();
  use({ cachedTokens: 50, reasoningTokens: 3 });
  use({ backend: 'gpu-2', inputTokens: 900, flow: 'bob', estimated: 1 });
  const body = await read('/api/token_counts', tokenCountsSchema);
  expect(body).toMatchObject({
    total_tokens: 1020,
    cached_tokens: 50,
    reasoning_tokens: 3,
    estimated_requests: 1,
  });
  expect(body.breakdown.map(({ endpoint, total_tokens: tokens }) => [endpoint, tokens])).toEqual([
    ['gpu-2', 910],
    ['gpu-1', 110],
  ]);
});

describe('/api/stats', () => {
  test('has the sums of a model, its backends and its series, newest first', async () => {
    const { fleet, read, use, app } = setUp();
    use();
    fleet.advance(10 * minuteMs);
    use({ backend: 'gpu-2' });
    use({ model: 'other' });
    const body = await read('/api/stats?model=tiny&range=1h', statsSchema);
    expect(body).toMatchObject({
      model: 'tiny',
      input_tokens: 200,
      total_tokens: 220,
      endpoint_distribution: { 'gpu-1': 110, 'gpu-2': 110 },
    });
    const first = Math.floor(fakeStartEpochMs / minuteMs) * 60;
    expect(body.time_series.map(({ endpoint, timestamp }) => [endpoint, timestamp - first])).toEqual([
      ['gpu-2', 600],
      ['gpu-1', 0],
    ]);
    for (const request of [{ body: '{"model":"tiny"}' }, { path: '?model=tiny' }]) {
      const { path = '', body: sent } = request;
      const response = await app.request(`/api/stats${path}`, {
        method: 'POST',
        ...(sent && { body: sent }),
      });
      expect(statsSchema.parse(await response.json()).total_tokens).toBe(220);
    }
  });

  test('is 404 for a model of which nothing is known', async () => {
    const { read } = setUp();
    expect((await read('/api/stats?model=nobody', errorSchema, 404)).error.param).toBe('model');
  });
});

test('GET /api/usage/keys has the keys of a range, the most tokens first', async () => {
  const { fleet, read, use } = setUp();
  use({ flow: 'old', inputTokens: 9000 });
  fleet.advance(2 * dayMs);
  use();
  use({ flow: 'bob', inputTokens: 500, errors: 1 });
  const last = await read('/api/usage/keys', usageKeysSchema);
  expect(last.keys.map(({ key, total_tokens: tokens }) => [key, tokens])).toEqual([
    ['bob', 510],
    ['alice', 110],
  ]);
  const seconds = Math.floor(fakeStartEpochMs / 1000);
  const first = await read(`/api/usage/keys?from=${seconds}&to=${seconds + 3600}&limit=1`, usageKeysSchema);
  expect(first.keys.map(({ key }) => key)).toEqual(['old']);
});

test('GET /api/usage/series has points by name and step', async () => {
  const { fleet, read, use } = setUp();
  use();
  fleet.advance(61 * minuteMs);
  use({ model: 'big' });
  use();
  const query =
    '/api/usage/series?by=model&step=hour&from=2026-05-04T09:59:00%2B01:00&to=2026-05-05T00:00:00Z';
  const body = await read(query, usageSeriesSchema);
  expect(body).toMatchObject({ from: '2026-05-04T08:00:00.000Z', truncated: false });
  expect(body.series.map(({ name, points }) => [name, points.map(({ at }) => at.slice(11, 13))])).toEqual([
    ['tiny', ['09', '10']],
    ['big', ['10']],
  ]);
  expect((await read('/api/usage/series?by=key&step=day', usageSeriesSchema)).series).toMatchObject([
    { name: 'alice', points: [{ seconds: 86_400, requests: 3 }] },
  ]);
});

describe('GET /api/usage/export', () => {
  test('as CSV has a line a row, and no cell that a spreadsheet takes for a formula', async () => {
    const { app, use } = setUp();
    use({ flow: '=HYPERLINK("http://evil","x")' });
    use({ flow: '@SUM(1)', model: '-1+1' });
    use({ flow: '\tcmd', model: 'a,b\r\nc' });
    const response = await app.request('/api/usage/export?format=csv');
    expect(response.headers.get('content-type')).toMatch(/^text\/csv/);
    expect(response.headers.get('content-disposition')).toContain('llamero-usage.csv');
    const text = await response.text();
    expect(text.split('\r\n')[0]).toMatch(/^start,seconds,key,backend,model,dialect,input_tokens,/);
    expect(text).toContain(
      `,60,"'=HYPERLINK(""http://evil"",""x"")",gpu-1,tiny,openai,100,10,110,0,0,1,0,0\r\n`,
    );
    expect(text).toContain(",60,'@SUM(1),gpu-1,'-1+1,openai,");
    expect(text).toContain(`,60,'\tcmd,gpu-1,"a,b\r\nc",openai,`);
  });

  test('as JSON is one array of all rows, however many', async () => {
    const { app, use } = setUp();
    const read = async () => {
      const response = await app.request('/api/usage/export?format=json');
      return usageRowSchema.array().parse(await response.json());
    };
    expect(await read()).toEqual([]);
    for (let index = 0; index < 1700; index += 1) use({ flow: `key-${index}`, dialect: 'anthropic' });
    const rows = await read();
    expect([rows.length, new Set(rows.map(({ key }) => key)).size]).toEqual([1700, 1700]);
    expect(rows[0]).toMatchObject({ seconds: 60, dialect: 'anthropic', total_tokens: 110 });
  });
});

test('GET /api/config lists the endpoints for nomyo’s dashboard, without secrets; the file comes as YAML', async () => {
  const { fleet, app, read } = setUp();
  fleet.keysRequired = true;
  fleet.backends = [
    { id: 'gpu-1', version: 'b7342', url: 'http://user:hush@gpu-1:8080/x?key=hush' },
    { id: 'attic', state: 'dead', engine: 'ollama', error: 'Connection refused' },
  ];
  const body = await read('/api/config', endpointsSchema);
  expect(body).toEqual({
    endpoints: [
      { id: 'gpu-1', url: 'http://gpu-1:8080/x', status: 'ok', state: 'live', version: 'b7342' },
      {
        id: 'attic',
        url: 'http://attic.lan:8080',
        status: 'error',
        state: 'dead',
        detail: 'Connection refused',
      },
    ],
    llama_server_endpoints: ['http://gpu-1:8080/x'],
    require_router_api_key: true,
  });
  const yaml = await app.request('/api/config?format=yaml');
  expect(yaml.headers.get('content-type')).toMatch(/yaml/);
});

test.each([
  ['/api/stats', 'model'],
  ['/api/stats?model=m&range=2h', 'range'],
  ['/api/usage/keys?from=yesterday', 'from'],
  ['/api/usage/keys?from=2026-05-05T00:00:00Z&to=2026-05-04T00:00:00Z', 'from'],
  ['/api/usage/series?by=colour', 'by'],
  ['/api/usage/series?step=year', 'step'],
  ['/api/usage/series?step=minute&from=0', 'step'],
  ['/api/usage/series?to=99999999999999', 'to'],
  ['/api/usage/export?format=xls', 'format'],
  ['/api/config?format=xml', 'format'],
  ['/health?require=most', 'require'],
])('%s is refused, naming %s', async (path, param) => {
  const { read } = setUp();
  const { error } = await read(path, errorSchema, 400);
  expect(error).toMatchObject({ code: 'request_malformed', param });
});
