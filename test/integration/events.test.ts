/** `/api/events` and the running requests, as llama-swap's page reads them. */
import { describe, expect, test } from 'vitest';
import { eventDataSchemas, type EventData, type EventType } from '../../src/admin/contract-events.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from './client.ts';
import { withModels } from './fake-models.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

interface Feed extends Disposable {
  readonly head: Readonly<Record<string, string | string[] | undefined>>;
  /** Everything of this type so far. */
  all<Type extends EventType>(type: Type): EventData<Type>[];
  types(): string[];
}

async function listen(router: TestRouter): Promise<Feed> {
  let text = '';
  const asking = ask(`${router.url}/api/events`, { onChunk: (chunk) => (text += chunk.toString()) });
  const { headers } = await asking.head;
  const messages = () =>
    text
      .split('\n\n')
      .slice(0, -1)
      .filter((event) => event.startsWith('event:message\n'))
      .map(
        (event) =>
          JSON.parse(event.split('\n')[1]?.slice('data:'.length) ?? '') as { type: string; data: string },
      );
  return {
    head: headers,
    all: <Type extends EventType>(type: Type) =>
      messages()
        .filter((message) => message.type === type)
        .map(({ data }) => eventDataSchemas[type].parse(JSON.parse(data)) as EventData<Type>),
    types: () => messages().map(({ type }) => type),
    [Symbol.dispose]: () => asking.leave(),
  };
}

const stateOf = (feed: Feed, id: string) =>
  feed.all('modelStatus').map((list) => list.find((row) => row.id === id)?.state);

test('EVT-1: a reader gets models, running requests, configuration, profile and logs at once', async () => {
  const config = await withModels(
    {
      b: {
        aliases: ['nick'],
        unlisted: true,
        capabilities: { in: ['text', 'image'], out: ['text'], context: 4096 },
      },
      a: {},
    },
    {
      ui: { activity: { session_id: ['X-My-Session'] } },
      peers: { far: { proxy: 'http://127.0.0.1:9', models: ['m'] } },
      profiles: { work: { pins: { x: 'a' } } },
    },
  );
  await using router = await startRouter(config);
  using feed = await listen(router);
  expect(feed.head).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  });
  await until(() => feed.all('logData').some(({ data }) => data.includes('listening on')));
  expect(feed.types()).toEqual(
    expect.arrayContaining(['modelStatus', 'inflight', 'uiConfig', 'profileChanged', 'logData']),
  );
  expect(feed.all('uiConfig')).toEqual([{ activity: { session_id: ['X-My-Session'] } }]);
  expect(feed.all('profileChanged')).toEqual([{ active: null }]);
  expect(feed.all('inflight')).toEqual([{ operation: 'snapshot', requests: [] }]);
  expect(feed.all('modelStatus')[0]).toEqual([
    { id: 'a', name: '', description: '', state: 'stopped', unlisted: false, peerID: '', aliases: [] },
    {
      id: 'b',
      name: '',
      description: '',
      state: 'stopped',
      unlisted: true,
      peerID: '',
      aliases: ['nick'],
      capabilities: { vision: true },
      context_length: 4096,
    },
    { id: 'far/m', name: 'far: m', description: '', state: '', unlisted: false, peerID: 'far', aliases: [] },
  ]);
  expect(router.app.profile.choose('work')).toBe(true);
  await until(() => feed.all('profileChanged').length === 2);
  expect(feed.all('profileChanged')[1]).toEqual({ active: 'work' });
});

test('every change of a model, new rows and new log lines are told', async () => {
  await using router = await startRouter(await withModels({ m: {} }));
  using feed = await listen(router);
  await chat(router.url, { model: 'm' }).answer;
  await until(() => stateOf(feed, 'm').at(-1) === 'ready' && feed.all('activity').length === 1);
  expect(stateOf(feed, 'm')).toEqual(['stopped', 'starting', 'ready']);
  expect(feed.all('activity')).toEqual([{ id: 1 }]);
  await until(() =>
    feed.all('logData').some(({ source, data }) => source === 'proxy' && data.includes('Model is loaded')),
  );
  await until(() =>
    feed.all('logData').some(({ source, data }) => source === 'upstream' && data.includes('listening on')),
  );
  await ask(`${router.url}/unload`).answer;
  await until(() => stateOf(feed, 'm').at(-1) === 'stopped');
});

describe('INF-1: a running request', () => {
  test('is seen with its caller and its headers, grows, and is gone afterwards', async () => {
    const engine = await startFakeEngine({
      models: [{ id: 'tiny', contextTokens: 4096, promptTokensPerS: 50_000, tokensPerS: 30 }],
    });
    await using router = await startRouter({ backends: { one: { url: engine.url } } });
    await router.ready();
    using feed = await listen(router);
    const headers = {
      authorization: 'Bearer secret',
      'x-forwarded-for': '192.0.2.7, 10.0.0.1',
      'user-agent': 'test',
    };
    const stream = chat(router.url, { stream: true, max_tokens: 30 }, { headers });
    const id = String((await stream.head).headers['x-request-id']);
    const upserts = () =>
      feed.all('inflight').flatMap((message) => (message.operation === 'upsert' ? [message.request] : []));
    await until(() => new Set(upserts().map(({ resp_bytes: bytes }) => bytes)).size > 2);
    const last = upserts().at(-1);
    expect(last).toMatchObject({
      id,
      model: 'tiny',
      req_path: '/v1/chat/completions',
      method: 'POST',
      remote_ip: '192.0.2.7',
      metadata: { fifo_priority: '0' },
      phase: 'streaming',
    });
    expect(last?.req_headers).toMatchObject({ authorization: '[REDACTED]', 'user-agent': 'test' });
    expect(last?.resp_headers).toMatchObject({ 'x-llamero-backend': 'one' });
    expect(last?.elapsed_ms).toBeGreaterThan(0);
    using late = await listen(router);
    await until(() => late.all('inflight').length > 0);
    expect(late.all('inflight')[0]).toMatchObject({ operation: 'snapshot', requests: [{ id }] });
    await stream.answer;
    await until(() =>
      feed.all('inflight').some((message) => message.operation === 'remove' && message.id === id),
    );
    await engine.close();
  });

  test('INF-2: is cancelled by its id, and remembered once', async () => {
    const engine = await startFakeEngine();
    await using router = await startRouter({ backends: { one: { url: engine.url } } });
    await router.ready();
    await engine.fault({ kind: 'hang' });
    using feed = await listen(router);
    const stream = chat(router.url, { stream: true });
    await until(() => feed.all('inflight').some(({ operation }) => operation === 'upsert'));
    const [first] = feed
      .all('inflight')
      .flatMap((message) => (message.operation === 'upsert' ? [message.request] : []));
    const cancel = (id: string) => ask(`${router.url}/api/inflight/${id}/cancel`, { method: 'POST' }).answer;
    const cancelled = await cancel(first?.id ?? '');
    expect([cancelled.status, cancelled.json()]).toEqual([200, { msg: 'ok' }]);
    expect((await stream.answer).status).toBe(499);
    expect((await cancel(first?.id ?? '')).status).toBe(404);
    await until(() => feed.all('activity').length > 0);
    expect(feed.all('activity')).toEqual([{ id: 1 }]);
    await engine.close();
  });
});

test('SRV-6: a stop ends the readers of events and logs, and does not wait for them', async () => {
  await using router = await startRouter({});
  const events = ask(`${router.url}/api/events`);
  const logs = ask(`${router.url}/logs/stream`);
  await Promise.all([events.head, logs.head]);
  const startedMs = performance.now();
  await Promise.all([router.app.drain(), router.app.close()]);
  expect(performance.now() - startedMs).toBeLessThan(3000);
  for (const { answer } of [events, logs])
    expect(await answer).toMatchObject({ status: 200, complete: true });
  await router.app.close();
});
