/**
 * What each route of the control plane takes of a key. The table is written by hand: a route without a line here fails,
 * and so does a line without a route.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdminApp } from '../../src/admin/app.ts';
import { isAdminPath } from '../../src/admin/paths.ts';
import type { AdminAccess } from '../../src/domain/admin-access.ts';
import { createFakeFleet } from '../fake-admin-deps.ts';
import { startFakeEngine, type LocalFakeEngine } from '../fake-engine/start.ts';
import { startRouter, type TestRouter } from '../integration/start-router.ts';
import { sendHead, statusOf } from './send-head.ts';

/** open: no key at all. none: any key. */
type Scope = 'open' | AdminAccess;

const routesByScope: Readonly<Record<Scope, readonly string[]>> = {
  open: ['GET /health', 'GET /wol-health', 'GET /monitor', 'GET /monitor/data'],
  none: ['GET /api/version'],
  read: [
    'GET /api/status',
    'GET /api/requests',
    'GET /api/decisions',
    'GET /api/config',
    'GET /metrics',
    'GET /running',
    'GET /api/profiles',
    'GET /api/log/level',
    'GET /logs',
    'GET /logs/stream',
    'GET /logs/stream/*',
    'GET /api/metrics/activity',
    'GET /api/metrics/stats',
    'GET /api/captures/:id',
    'GET /api/affinity_stats',
    'GET /api/cache',
    'GET /api/cache/stats',
    'GET /api/performance',
    'GET /api/gpu-monitor',
    'GET /api/hardware',
    'GET /api/keys',
    'GET /api/usage',
    'GET /api/usage-stream',
    'GET /api/token_counts',
    'GET /api/stats',
    'POST /api/stats',
    'GET /api/usage/keys',
    'GET /api/usage/series',
    'GET /api/usage/export',
    'GET /servers',
    'GET /api/servers',
    'GET /api/events',
  ],
  full: [
    'POST /api/requests/:id/cancel',
    'DELETE /api/requests/:id',
    'POST /api/inflight/:id/cancel',
    'POST /api/reload',
    'POST /api/backends/:id/:action',
    'POST /api/demo/traffic/:action',
    'GET /unload',
    'POST /api/models/unload',
    'POST /api/models/unload/*',
    'POST /api/models/load/*',
    'PUT /api/profiles/active',
    'PUT /api/log/level',
    'POST /api/affinity',
    'DELETE /api/cache',
    'POST /api/cache/invalidate',
  ],
};

const rows = Object.entries(routesByScope).flatMap(([scope, routes]) =>
  routes.map((route) => [route, scope as Scope] as const),
);

let engine: LocalFakeEngine;
let router: TestRouter;
beforeAll(async () => {
  engine = await startFakeEngine();
  router = await startRouter({
    backends: { one: { url: engine.url } },
    apiKeys: [
      'k-full',
      { name: 'reader', key: 'k-read', routes: [], admin: 'read' },
      { name: 'user', key: 'k-none', models: ['tiny'] },
    ],
  });
  await router.ready();
});
afterAll(async () => {
  await router[Symbol.asyncDispose]();
  await engine.close();
});

const withKey = (key: string): string[] => (key === '' ? [] : [`X-Api-Key: ${key}`]);

describe('the control plane', () => {
  test('has no route that is not in the table, and the table none that is not there', () => {
    const { routes } = createAdminApp(createFakeFleet().deps);
    const found = routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path}`);
    expect([...new Set(found)].toSorted()).toEqual(rows.map(([route]) => route).toSorted());
  });

  test.each(rows)('%s takes a key with access %s', async (route, scope) => {
    const line = route.replace(/:\w+|\*/g, 'x');
    expect(isAdminPath(line.split(' ')[1] ?? '')).toBe(true);
    const refusals = [];
    for (const key of ['', 'k-none', 'k-read']) {
      const status = statusOf(await sendHead(router.url, line, withKey(key)));
      refusals.push(status === 401 || status === 403 ? status : 'passes');
    }
    const expected = {
      open: ['passes', 'passes', 'passes'],
      none: [401, 'passes', 'passes'],
      read: [401, 403, 'passes'],
      full: [401, 403, 403],
    }[scope];
    expect(refusals).toEqual(expected);
  });
});

/** Each would mean /unload, or what is open, to whoever resolves the path first. */
const tricks = [
  '/api/../unload',
  '/api/%2e%2e/unload',
  '/api/.%2E/unload',
  '/api/x/../../unload',
  '/logs/stream/../../unload',
  '/api/..%2funload',
  '/api/version/../../unload',
  '/monitor/../unload',
  '/health/../unload',
  '/upstream/tiny/../../unload',
  '//unload',
  '/UNLOAD',
  '/unload/',
  '/unload;x',
  '/unloa%64',
  '/api//../unload',
  '/api/..\\unload',
  '/unload#x',
];

describe('a trick with the path', () => {
  test.each(tricks)('%s stops no model for a key that may only read', async (path) => {
    for (const target of [path, `http://router${path}`]) {
      const status = statusOf(await sendHead(router.url, `GET ${target}`, withKey('k-read')));
      expect([target, [400, 403, 404].includes(status)]).toEqual([target, true]);
    }
  });

  test.each(['/health', '/monitor', '/monitor/data', '/wol-health'])(
    'opens nothing without a key: %s',
    async (path) => {
      for (const end of [
        '/../api/status',
        '/%2e%2e/api/status',
        '%2f..%2fapi/status',
        ';/../api/status',
        '/',
        '#x',
        '%00',
      ]) {
        expect([end, statusOf(await sendHead(router.url, `GET ${path}${end}`, []))]).toEqual([end, 401]);
      }
    },
  );

  test.each([
    '/v1/audio/../../slots/0',
    '/v1/images/%2e%2e/chat/completions',
    '/upstream/tiny/../../../secret',
  ])('reaches no engine: %s', async (path) => {
    await engine.reset();
    const answer = await sendHead(router.url, `POST ${path}`, ['Content-Length: 0', ...withKey('k-full')]);
    expect([statusOf(answer), answer.includes('"request_malformed"')]).toEqual([400, true]);
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    const socket = await sendHead(router.url, `GET ${path}`, [...upgrade, ...withKey('k-full')]);
    expect(statusOf(socket)).toBe(400);
    const posts = (await engine.report()).requests.filter(({ rawHead }) => /POST|upgrade/i.test(rawHead));
    expect(posts).toEqual([]);
  });
});
