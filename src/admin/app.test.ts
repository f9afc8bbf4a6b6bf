import type { z } from 'zod';
import { describe, expect, test } from 'vitest';
import { createFakeFleet, fakeQueued, fakeStartEpochMs, readingKey } from '../../test/fake-admin-deps.ts';
import type { FakeFleet } from '../../test/fake-admin-deps.ts';
import { createAdminApp } from './app.ts';
import {
  backendActionSchema,
  cancelledSchema,
  decisionsSchema,
  errorSchema,
  healthSchema,
  monitorSchema,
  reloadSchema,
  requestsSchema,
  statusSchema,
} from './contract.ts';

function setUp(change: (fleet: FakeFleet) => void = () => {}) {
  const fleet = createFakeFleet();
  change(fleet);
  const app = createAdminApp(fleet.deps);
  async function read<Schema extends z.ZodType>(path: string, schema: Schema, status = 200) {
    const response = await app.request(path);
    expect(response.status).toBe(status);
    return schema.parse(await response.json());
  }
  return { fleet, app, read };
}

const twoBackends = (fleet: FakeFleet) => {
  fleet.backends = [
    { id: 'gpu-1', loaded: ['qwen3-32b'], slots: 4, own: 2, lingering: 1, stickyTo: 'qwen3-32b' },
    {
      id: 'gpu-2',
      state: 'dead',
      error: 'Connection refused',
      loaded: [],
      url: 'http://user:hush@b:1/base?key=hush',
    },
  ];
};

describe('GET /health', () => {
  test('is 200 while the router serves, even with no live backend', async () => {
    const { read } = setUp((fleet) => {
      twoBackends(fleet);
      fleet.queued = [fakeQueued('q1')];
      fleet.open('r1');
    });
    expect(await read('/health', healthSchema)).toEqual({
      status: 'ok',
      backends: { total: 2, live: 1 },
      endpoints: {
        'gpu-1': { status: 'ok' },
        'gpu-2': { status: 'error', detail: 'Connection refused' },
      },
      queued: 1,
      in_flight: 1,
      stores_failing: [],
    });
    await setUp().read('/health', healthSchema);
  });

  test('is 503 when fewer backends are well than it is asked to require', async () => {
    const { fleet, read } = setUp(twoBackends);
    expect((await read('/health?require=any', healthSchema)).status).toBe('ok');
    expect((await read('/health?require=all', healthSchema, 503)).status).toBe('error');
    fleet.backends = fleet.backends.map((backend) => ({ ...backend, state: 'stopped' }));
    expect((await read('/health?require=all', healthSchema)).status).toBe('ok');
    fleet.backends = [];
    expect((await read('/health?require=any', healthSchema, 503)).status).toBe('error');
  });

  test('is 503 while the router drains', async () => {
    const { read } = setUp((fleet) => {
      fleet.draining = true;
    });
    expect((await read('/health', healthSchema, 503)).status).toBe('draining');
  });
});

describe('GET /api/status', () => {
  test('tells what runs, since when, and how the last reload went', async () => {
    const { read } = setUp((fleet) => {
      fleet.lastReload = {
        atEpochMs: fakeStartEpochMs,
        ok: false,
        problems: ['llamero.yaml:3:5 url: must be a URL'],
      };
      fleet.advance(90_000);
    });
    expect(await read('/api/status', statusSchema)).toMatchObject({
      version: '0.1.0',
      started_at: '2026-05-04T09:00:00.000Z',
      uptime_seconds: 100,
      listen: ['127.0.0.1:8700'],
      config: {
        file: 'llamero.yaml',
        last_reload: { ok: false, problems: ['llamero.yaml:3:5 url: must be a URL'] },
      },
    });
  });

  test('tells of each backend its state, its reason, its slots and its models', async () => {
    const { read } = setUp(twoBackends);
    const { backends } = await read('/api/status', statusSchema);
    expect(backends[0]).toMatchObject({
      id: 'gpu-1',
      state: 'live',
      reason: null,
      slots: { total: 4, own: 2, lingering: 1, foreign: 0, free: 1, busy_reading: 3 },
      loaded: ['qwen3-32b'],
      sticky_to: 'qwen3-32b',
      sticky_seconds: 2.5,
      in_flight_by_model: { 'qwen3-32b': 2 },
    });
    expect(backends[1]).toMatchObject({
      state: 'dead',
      reason: 'Connection refused',
      probe: { failures_in_row: 3, error: 'Connection refused', duration_ms: 3.25 },
    });
  });
});

describe('GET /api/requests', () => {
  test('lists waiting requests in order, running and finished ones', async () => {
    const { fleet, read } = setUp((made) => {
      made.queued = [fakeQueued('q2', { position: 1 }), fakeQueued('q1', { position: 2 })];
    });
    const waiting = { phase: 'queued', model: 'qwen3-32b', queuedAtMs: 10_000 } as const;
    fleet.open('q1', waiting);
    fleet.open('q2', waiting);
    fleet.open('r1', {
      phase: 'streaming',
      backend: 'gpu-1',
      stream: true,
      chunksOut: 7,
      session: 'someone@home',
    });
    const done = fleet.open('d1', { queuedAtMs: 10_000, grantedAtMs: 10_040 });
    fleet.advance(1500);
    fleet.deps.requests.finish(done, { outcome: 'completed', status: 200, errorCode: undefined });
    const { queued, running, recent } = await read('/api/requests', requestsSchema);
    expect(queued.map((request) => [request.request_id, request.position, request.queued_ms])).toEqual([
      ['q2', 1, 1500],
      ['q1', 2, 1500],
    ]);
    expect(running).toHaveLength(1);
    expect(running[0]).toMatchObject({
      request_id: 'r1',
      phase: 'streaming',
      output_tokens: 7,
      flow: 'alice',
      age_seconds: 1.5,
    });
    expect(running[0]?.session_id).toMatch(/^[0-9a-f]{8}$/);
    expect(recent[0]).toMatchObject({
      request_id: 'd1',
      outcome: 'completed',
      queued_ms: 40,
      total_ms: 1500,
    });
  });

  test('bounds the finished ones by limit', async () => {
    const { fleet, read } = setUp();
    for (const id of ['a', 'b', 'c']) {
      fleet.deps.requests.finish(fleet.open(id), { outcome: 'completed', status: 200, errorCode: undefined });
    }
    const { recent } = await read('/api/requests?limit=2', requestsSchema);
    expect(recent.map((request) => request.request_id)).toEqual(['c', 'b']);
  });
});

describe('GET /api/decisions', () => {
  const decision = {
    request: 'r1',
    model: 'qwen3-32b',
    backend: 'gpu-1',
    atMs: 9000,
    waitedMs: 12.3456,
    attempt: 1,
    overtook: 2,
    picker: 'max-score',
    candidates: [
      { backend: 'gpu-1', excludedBy: undefined, score: 1.5, scores: { session: 1, 'free-slots': 0.5 } },
      { backend: 'gpu-2', excludedBy: 'healthy', score: 0, scores: {} },
    ],
  };

  test('tells why a request went where, by request and by model', async () => {
    const { fleet, read } = setUp();
    fleet.deps.decisions.add(decision);
    fleet.deps.decisions.add({ ...decision, request: 'r2', model: 'other' });
    const { decisions } = await read('/api/decisions?request=r1', decisionsSchema);
    expect(decisions).toEqual([
      {
        request_id: 'r1',
        model_id: 'qwen3-32b',
        backend_id: 'gpu-1',
        at: '2026-05-04T09:00:09.000Z',
        waited_ms: 12.346,
        attempt: 1,
        overtook: 2,
        picker: 'max-score',
        candidates: [
          { backend_id: 'gpu-1', excluded_by: null, score: 1.5, scores: { session: 1, 'free-slots': 0.5 } },
          { backend_id: 'gpu-2', excluded_by: 'healthy', score: 0, scores: {} },
        ],
      },
    ]);
    const byModel = await read('/api/decisions?model=other&limit=5', decisionsSchema);
    expect(byModel.decisions.map((entry) => entry.request_id)).toEqual(['r2']);
  });
});

describe('verbs of the admin API', () => {
  test.each([
    ['POST', '/api/requests/r1/cancel'],
    ['DELETE', '/api/requests/r1'],
  ])('%s %s cancels a running request, once', async (method, path) => {
    const { fleet, app } = setUp((made) => made.open('r1'));
    const response = await app.request(path, { method });
    expect(response.status).toBe(202);
    expect(cancelledSchema.parse(await response.json())).toEqual({ request_id: 'r1', cancelled: true });
    expect(fleet.calls).toEqual(['cancel r1 operator']);
    expect((await app.request(path, { method })).status).toBe(404);
    expect(fleet.calls).toHaveLength(1);
  });

  test.each(['drain', 'resume', 'probe'])(
    'POST /api/backends/gpu-1/%s acts on that backend',
    async (action) => {
      const { fleet, app } = setUp(twoBackends);
      const response = await app.request(`/api/backends/gpu-1/${action}`, { method: 'POST' });
      expect(response.status).toBe(202);
      expect(backendActionSchema.parse(await response.json())).toEqual({ backend_id: 'gpu-1', action });
      expect(fleet.calls).toEqual([`${action} gpu-1`]);
    },
  );

  test('POST /api/backends refuses an unknown backend and an unknown action', async () => {
    const { fleet, app } = setUp(twoBackends);
    const unknown = await app.request('/api/backends/gpu-9/drain', { method: 'POST' });
    expect(unknown.status).toBe(404);
    const explode = await app.request('/api/backends/gpu-1/explode', { method: 'POST' });
    expect(explode.status).toBe(400);
    expect(errorSchema.parse(await explode.json()).error).toMatchObject({
      param: 'action',
      code: 'request_malformed',
    });
    expect(fleet.calls).toEqual([]);
  });

  test('POST /api/reload reports success, and a bad file as 422 with its problems', async () => {
    const { fleet, app } = setUp();
    const good = await app.request('/api/reload', { method: 'POST' });
    expect(reloadSchema.parse(await good.json()).ok).toBe(true);
    fleet.nextReload = {
      atEpochMs: 0,
      ok: false,
      problems: ['a.yaml:1:1 x: unknown key', 'a.yaml:2:1 y: bad'],
    };
    const bad = await app.request('/api/reload', { method: 'POST' });
    expect(bad.status).toBe(422);
    expect(errorSchema.parse(await bad.json()).error).toMatchObject({
      code: 'config_invalid',
      message: 'a.yaml:1:1 x: unknown key\na.yaml:2:1 y: bad',
    });
  });

  test.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a sibling host', { 'sec-fetch-site': 'same-site' }, 403],
    ['an old browser on another site', { origin: 'http://evil.example', host: '127.0.0.1:8700' }, 403],
    ['a sandboxed page', { origin: 'null', host: '127.0.0.1:8700' }, 403],
    ['its own page', { 'sec-fetch-site': 'same-origin', origin: 'http://127.0.0.1:8700' }, 202],
    ['its own page in an old browser', { origin: 'http://127.0.0.1:8700', host: '127.0.0.1:8700' }, 202],
    ['a program', {}, 202],
  ] as const)('take a request of %s as they should', async (_, headers, status) => {
    const { fleet, app } = setUp(twoBackends);
    const response = await app.request('/api/backends/gpu-1/drain', { method: 'POST', headers });
    expect(response.status).toBe(status);
    expect(fleet.calls).toHaveLength(status === 202 ? 1 : 0);
  });
});

describe('GET /monitor/data', () => {
  test('speaks the feed of llamacpp-ha and more', async () => {
    const { fleet, read } = setUp((made) => {
      twoBackends(made);
      made.queued = [fakeQueued('q1', { session: 'someone@home', overtaken: 1 })];
    });
    fleet.open('q1', { phase: 'queued' });
    fleet.open('r1', { phase: 'waiting', model: 'qwen3-32b', backend: 'gpu-1' });
    const feed = await read('/monitor/data', monitorSchema);
    expect(feed).toMatchObject({ uptime: 10, total_requests: 2, queue_depth: 1, in_flight_count: 1 });
    expect(feed.queue).toEqual([
      {
        request_id: 'q1',
        model_id: 'qwen3-32b',
        session_id: expect.stringMatching(/^[0-9a-f]{8}$/) as string,
        wait_seconds: 4,
        estimated_tokens: 1200,
        priority: 1,
        position: 1,
        overtaken: 1,
        attempt: 1,
      },
    ]);
    expect(feed.in_flight.map((request) => request.request_id)).toEqual(['r1']);
    expect(feed.models).toEqual([
      expect.objectContaining({ model_id: 'qwen3-32b', loaded_on: ['gpu-1'], in_flight: 2, queued: 1 }),
    ]);
  });

  test('tells nothing of callers, keys and sessions', async () => {
    const { fleet, app } = setUp(twoBackends);
    fleet.queued = [fakeQueued('q1', { session: 'someone@home', flow: 'alice' })];
    fleet.open('r1', { session: 'someone@home', path: '/secret-path' });
    const text = await (await app.request('/monitor/data')).text();
    for (const secret of ['hush', 'someone@home', 'alice', 'secret-path']) expect(text).not.toContain(secret);
  });

  test('tells figures alone where keys are asked for, and all to a key that may read', async () => {
    const { fleet, app } = setUp((made) => {
      twoBackends(made);
      made.queued = [fakeQueued('q1')];
      made.lastReload = { atEpochMs: 0, ok: false, problems: ['llamero.yaml:3:1 backends.gpu-9: no'] };
    });
    fleet.keysRequired = true;
    fleet.open('r1', { phase: 'waiting', model: 'qwen3-32b', backend: 'gpu-1' });
    for (const path of ['/monitor/data', '/health']) {
      const text = await (await app.request(path)).text();
      for (const name of ['gpu-', 'qwen3', 'r1', 'q1', '127.0.0.1', 'refused'])
        expect(text).not.toContain(name);
      const headers = { authorization: `Bearer ${readingKey}` };
      expect(await (await app.request(path, { headers })).text()).toContain('gpu-1');
    }
    const figures = monitorSchema.parse(await (await app.request('/monitor/data')).json());
    expect(figures).toMatchObject({ names_hidden: true, queue_depth: 1, in_flight_count: 1 });
    expect(figures).toMatchObject({ backends_total: 2, backends_live: 1, longest_wait_seconds: 4 });
  });

  test('is built a few times a second at most, whoever asks', async () => {
    const { fleet, app } = setUp();
    const first = await (await app.request('/monitor/data')).text();
    fleet.open('r1');
    fleet.advance(100);
    expect(await (await app.request('/monitor/data')).text()).toBe(first);
    fleet.advance(200);
    expect(await (await app.request('/monitor/data')).text()).not.toBe(first);
  });
});

describe('the admin API', () => {
  test('keeps secrets out of every reading route', async () => {
    const { app } = setUp(twoBackends);
    for (const path of [
      '/health',
      '/api/status',
      '/api/requests',
      '/api/decisions',
      '/api/config',
      '/api/config?format=yaml',
      '/monitor',
    ]) {
      expect(await (await app.request(path)).text()).not.toContain('hush');
    }
  });

  test.each([
    ['/api/requests?limit=0', 'limit'],
    ['/api/requests?limit=1001', 'limit'],
    ['/api/requests?limit=many', 'limit'],
    ['/api/requests?limit=1&limit=2', 'limit'],
    ['/api/requests?sort=age', 'sort'],
    ['/api/decisions?model=', 'model'],
    ['/api/status?verbose=1', 'verbose'],
  ])('refuses %s and names the parameter', async (path, param) => {
    const { read } = setUp();
    const { error } = await read(path, errorSchema, 400);
    expect(error).toMatchObject({ code: 'request_malformed', type: 'invalid_request_error', param });
    expect(error.message).toContain(param);
  });

  test('answers an unknown route and a wrong method in the project’s shape', async () => {
    const { app, read } = setUp();
    expect((await read('/api/nothing', errorSchema, 404)).error.code).toBe('not_found');
    const wrong = await app.request('/api/status', { method: 'POST' });
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('GET, HEAD');
    expect(errorSchema.parse(await wrong.json()).error.code).toBe('method_not_allowed');
    const get = await app.request('/api/reload');
    expect(get.status).toBe(405);
    expect(get.headers.get('allow')).toBe('POST');
  });

  test('hides what went wrong inside, and logs it', async () => {
    const { fleet, read } = setUp((made) => {
      made.fault = new Error('the password is hush');
    });
    const logged: unknown[] = [];
    fleet.deps.log.error = (entry: unknown) => void logged.push(entry);
    const { error } = await read('/api/config?format=yaml', errorSchema, 500);
    expect(error).toEqual({ message: 'Internal error', type: 'server_error', param: null, code: 'internal' });
    expect(logged).toEqual([{ err: fleet.fault, path: '/api/config' }]);
  });

  test('answers HEAD like GET without a body', async () => {
    const { app } = setUp();
    const response = await app.request('/health', { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
  });

  test('passes metrics on with their content type', async () => {
    const { app } = setUp();
    const response = await app.request('/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4');
    expect(await response.text()).toBe('llamero_draining 0\n');
  });

  test.each(['/health', '/api/status', '/monitor', '/monitor/data', '/api/nothing'])(
    'sends safe headers with %s',
    async (path) => {
      const { app } = setUp();
      const { headers } = await app.request(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    },
  );

  test('changes nothing by reading', async () => {
    const { fleet, app } = setUp((made) => {
      twoBackends(made);
      made.open('r1');
    });
    const before = JSON.stringify(fleet.deps.requests.totals());
    for (const path of [
      '/health',
      '/api/status',
      '/api/requests',
      '/api/decisions',
      '/api/config',
      '/metrics',
    ]) {
      await app.request(path);
      await app.request(path, { method: 'HEAD' });
    }
    await app.request('/api/requests/r1/cancel');
    await app.request('/api/backends/gpu-1/drain');
    expect(fleet.calls).toEqual([]);
    expect(JSON.stringify(fleet.deps.requests.totals())).toBe(before);
  });
});

describe('the simulated users of a demo', () => {
  test('can be sent away and called back', async () => {
    const { app, fleet } = setUp((changed) => {
      changed.demo = true;
    });
    expect(await (await app.request('/api/demo/traffic/stop', { method: 'POST' })).json()).toEqual({
      traffic: false,
    });
    expect(fleet.traffic).toBe(false);
    expect(await (await app.request('/api/demo/traffic/start', { method: 'POST' })).json()).toEqual({
      traffic: true,
    });
  });

  test('are no part of a router with real engines', async () => {
    const { app } = setUp();
    expect((await app.request('/api/demo/traffic/stop', { method: 'POST' })).status).toBe(404);
  });
});
