/** Waiting: how long, how many, who is next, and what those hear who wait in vain. */
import { describe, expect, test } from 'vitest';
import { decisionsSchema } from '../../src/admin/contract.ts';
import { startFakeEngine, type LocalFakeEngine } from '../fake-engine/start.ts';
import type { FakeEngineOptions } from '../fake-engine/fake-engine.ts';
import { ask, chat, type Answer, type Asking } from './client.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

const model = (id: string, tokensPerS = 20) => ({
  id,
  contextTokens: 4096,
  promptTokensPerS: 50_000,
  tokensPerS,
});
const long = { stream: true, max_tokens: 2000 };

interface SetUp extends AsyncDisposable {
  readonly engines: readonly LocalFakeEngine[];
  readonly router: TestRouter;
}

async function setUp(
  engines: Readonly<Record<string, FakeEngineOptions>>,
  config: object = {},
  backend: object = {},
): Promise<SetUp> {
  const started = await Promise.all(
    Object.entries(engines).map(async ([id, options]) => [id, await startFakeEngine(options)] as const),
  );
  const backends = Object.fromEntries(started.map(([id, { url }]) => [id, { url, ...backend }]));
  const router = await startRouter({ backends, ...config });
  await router.ready();
  return {
    engines: started.map(([, engine]) => engine),
    router,
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await Promise.all(started.map(([, engine]) => engine.close()));
    },
  };
}

const oneSlot = { one: { slots: 1, models: [model('tiny')] } } as const;

function errorOf(answer: Answer): { code: string; message: string; type: string } {
  return answer.json()['error'] as { code: string; message: string; type: string };
}

/** Takes the one slot there is until it leaves. */
async function occupy(router: TestRouter, more: object = {}): Promise<Asking> {
  const asking = chat(router.url, { ...long, ...more });
  await asking.head;
  return asking;
}

describe('waiting in vain', () => {
  test('ends after queueTimeout with 503, the reason and Retry-After', async () => {
    await using setup = await setUp(oneSlot, { scheduling: { queueTimeout: '300ms' } });
    const busy = await occupy(setup.router);
    const startedMs = performance.now();
    const answer = await chat(setup.router.url).answer;
    expect(performance.now() - startedMs).toBeGreaterThan(290);
    expect([answer.status, errorOf(answer)]).toMatchObject([
      503,
      {
        code: 'queue_timeout',
        message: expect.stringMatching(/^No slot for model 'tiny' became free within \d\.\d s$/) as string,
      },
    ]);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    busy.leave();
  });

  test('does not begin when the queue is full: 429 with Retry-After', async () => {
    await using setup = await setUp(oneSlot, { scheduling: { queueMax: 2 } });
    const busy = await occupy(setup.router);
    const waiting = [chat(setup.router.url), chat(setup.router.url)];
    await until(async () => (await setup.router.status()).queue.depth === 2);
    const answer = await chat(setup.router.url).answer;
    expect([answer.status, errorOf(answer)]).toMatchObject([
      429,
      {
        code: 'queue_full',
        type: 'rate_limit_error',
        message: 'Cannot queue request: 2 of 2 places are taken',
      },
    ]);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    const anthropic = await ask(`${setup.router.url}/v1/messages`, {
      body: { model: 'tiny', max_tokens: 2, messages: [{ role: 'user', content: 'x' }] },
    }).answer;
    expect(anthropic.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } });
    busy.leave();
    expect((await Promise.all(waiting.map((asking) => asking.answer))).map(({ status }) => status)).toEqual([
      200, 200,
    ]);
  });

  test('does not begin with queueMax 0, but free slots are used', async () => {
    await using setup = await setUp(oneSlot, { scheduling: { queueMax: 0 } });
    expect((await chat(setup.router.url, { max_tokens: 1 }).answer).status).toBe(200);
    const busy = await occupy(setup.router);
    expect((await chat(setup.router.url).answer).status).toBe(429);
    busy.leave();
  });

  test('ends after deadWait with 503 that says why each backend is down', async () => {
    await using setup = await setUp(oneSlot, { scheduling: { deadWait: '300ms' } });
    await setup.engines[0]?.fault({ kind: 'refuse', ms: 60_000 });
    await until(async () => (await setup.router.status()).backends[0]?.state === 'dead');
    const answer = await chat(setup.router.url).answer;
    expect([answer.status, errorOf(answer)]).toMatchObject([
      503,
      {
        code: 'no_backend',
        message: "No live backend serves model 'tiny' (one is dead: Connection refused)",
      },
    ]);
    expect(answer.headers['retry-after']).toBeDefined();
  });

  test('is over as soon as a dead backend comes back', async () => {
    await using setup = await setUp(oneSlot, { scheduling: { deadWait: '20s' } });
    await setup.engines[0]?.fault({ kind: 'refuse', ms: 1000 });
    await until(async () => (await setup.router.status()).backends[0]?.state === 'dead');
    const answer = await chat(setup.router.url, { max_tokens: 2 }).answer;
    expect(answer.status).toBe(200);
  });

  test('does not begin for a model that nobody has: 404 with the nearest name', async () => {
    await using setup = await setUp({
      one: { models: [model('llama-3.1-8b')] },
      two: { models: [model('qwen3')] },
    });
    const answer = await chat(setup.router.url, { model: 'llama-3.1-8B' }).answer;
    expect([answer.status, errorOf(answer)]).toMatchObject([
      404,
      {
        code: 'model_not_found',
        message: "No backend serves model 'llama-3.1-8B' (did you mean 'llama-3.1-8b'?)",
      },
    ]);
    const none = await chat(setup.router.url, { model: undefined }).answer;
    expect([none.status, errorOf(none).code]).toEqual([400, 'model_missing']);
    expect(errorOf(none).message).toMatch(/'llama-3\.1-8b'.*'qwen3'/);
  });

  test('a prompt that fits nowhere is refused at once', async () => {
    await using setup = await setUp({ one: { models: [{ ...model('tiny'), contextTokens: 512 }] } });
    const answer = await chat(setup.router.url, { messages: [{ role: 'user', content: 'x '.repeat(5000) }] })
      .answer;
    expect([answer.status, errorOf(answer).code]).toEqual([400, 'context_length_exceeded']);
  });
});

test('a model under modelLimits waits while slots are free for others', async () => {
  await using setup = await setUp(
    { one: { slots: 4, models: [model('tiny')] }, two: { slots: 4, models: [model('other')] } },
    { scheduling: { modelLimits: { tiny: 1 } } },
  );
  const busy = await occupy(setup.router);
  const waiting = chat(setup.router.url, { max_tokens: 2 });
  await until(async () => (await setup.router.status()).queue.depth === 1);
  expect((await chat(setup.router.url, { model: 'other', max_tokens: 2 }).answer).status).toBe(200);
  expect((await setup.router.status()).queue.depth).toBe(1);
  busy.leave();
  expect((await waiting.answer).status).toBe(200);
  expect((await setup.engines[0]?.report())?.concurrencyMax).toBe(1);
});

describe('an engine that holds one model at a time', () => {
  const swapping = { one: { slots: 2, router: { modelsMax: 1 }, models: [model('a'), model('b')] } } as const;
  const rules = { scheduling: { stickyDelay: '200ms', modelAffinityBonus: '5s' } };

  test('never has to evict a model that is at work', async () => {
    await using setup = await setUp(swapping, rules, { maxModels: 1 });
    const first = await occupy(setup.router, { model: 'a' });
    const other = chat(setup.router.url, { model: 'b', max_tokens: 2 });
    await until(async () => (await setup.router.status()).queue.depth === 1);
    const same = await chat(setup.router.url, { model: 'a', max_tokens: 2 }).answer;
    expect(same.status).toBe(200);
    const busy = () => setup.engines[0]?.engine.state().models.map(({ id, status }) => `${id} ${status}`);
    expect(busy()).toEqual(['a loaded', 'b unloaded']);
    first.leave();
    expect((await other.answer).status).toBe(200);
    expect(busy()).toEqual(['a unloaded', 'b loaded']);
  });

  test('is not kept from the other model for ever', async () => {
    await using setup = await setUp(
      swapping,
      { scheduling: { stickyDelay: '200ms', modelAffinityBonus: '1s' } },
      { maxModels: 1 },
    );
    const stopping = new AbortController();
    const stream = async () => {
      while (!stopping.signal.aborted) await chat(setup.router.url, { model: 'a', max_tokens: 4 }).answer;
    };
    const streams = [stream(), stream(), stream()];
    await until(async () => (await setup.router.status()).requests.in_flight >= 2);
    const other = await chat(setup.router.url, { model: 'b', max_tokens: 2 }).answer;
    stopping.abort();
    await Promise.all(streams);
    expect(other.status).toBe(200);
  });
});

describe('conversations', () => {
  const fleet = { a: { slots: 4 }, b: { slots: 4 }, c: { slots: 4 } };
  const backendOf = async (router: TestRouter, more: object, headers: Record<string, string> = {}) =>
    (await chat(router.url, { max_tokens: 1, ...more }, { headers }).answer).headers['x-llamero-backend'];

  test('stay at their backend by a session header, whatever they say', async () => {
    await using setup = await setUp(fleet);
    for (const header of ['x-session-id', 'x-conversation-id', 'X-Thread-Id']) {
      const seen = new Set<unknown>();
      for (let turn = 0; turn < 6; turn += 1) {
        const messages = [{ role: 'user', content: `${header} ${turn}` }];
        seen.add(await backendOf(setup.router, { messages }, { [header]: 's1' }));
      }
      expect(seen.size, header).toBe(1);
    }
    expect((await setup.router.status()).sessions).toBeGreaterThan(0);
  });

  test('stay at their backend by their beginning', async () => {
    await using setup = await setUp(fleet);
    const messages = [{ role: 'user', content: 'begin' }];
    const seen = new Set<unknown>();
    for (let turn = 0; turn < 6; turn += 1) {
      seen.add(await backendOf(setup.router, { messages }));
      messages.push({ role: 'assistant', content: 'so' }, { role: 'user', content: `turn ${turn}` });
    }
    expect(seen.size).toBe(1);
  });

  test('do not wait for a busy backend', async () => {
    await using setup = await setUp({
      a: { slots: 1, models: [model('tiny')] },
      b: { slots: 1, models: [model('tiny')] },
    });
    const headers = { 'x-session-id': 's' };
    const busy = chat(setup.router.url, long, { headers });
    const home = (await busy.head).headers['x-llamero-backend'];
    expect(await backendOf(setup.router, {}, headers)).not.toBe(home);
    busy.leave();
  });
});

test('two keys share one slot in turn, and each is served in its own order', async () => {
  const keys = [
    { name: 'eager', key: 'k-eager' },
    { name: 'modest', key: 'k-modest' },
  ];
  await using engine = await disposable(startFakeEngine({ slots: 1, models: [model('tiny', 100)] }));
  await using router = await startRouter({
    apiKeys: ['k-admin', ...keys],
    backends: { one: { url: engine.it.url } },
  });
  await router.ready();
  const by = (key: string, index: number, more: object = {}) =>
    chat(
      router.url,
      { max_tokens: 4, messages: [{ role: 'user', content: `${key} ${index}` }], ...more },
      { headers: { 'x-api-key': `k-${key}` } },
    );
  const busy = by('admin', 0, long);
  await busy.head;
  const depth = async () => (await router.status()).queue.depth;
  const asking: Asking[] = [];
  for (let index = 0; index < 6; index += 1) {
    asking.push(by('eager', index));
    await until(async () => (await depth()) === asking.length);
  }
  for (let index = 0; index < 3; index += 1) {
    asking.push(by('modest', index));
    await until(async () => (await depth()) === asking.length);
  }
  busy.leave();
  await Promise.all(asking.map(({ answer }) => answer));
  const served = (await engine.it.report()).requests
    .flatMap(({ method, body }) =>
      method === 'POST' ? [(/(eager|modest) \d/.exec(body) ?? [])[0] ?? ''] : [],
    )
    .filter((name) => name !== '');
  expect(served.filter((name) => name.startsWith('eager'))).toEqual(
    [0, 1, 2, 3, 4, 5].map((at) => `eager ${at}`),
  );
  expect(served.filter((name) => name.startsWith('modest'))).toEqual([0, 1, 2].map((at) => `modest ${at}`));
  const lastModest = served.indexOf('modest 2');
  expect(lastModest, served.join(', ')).toBeLessThanOrEqual(6);
});

test('the decisions of the API tell why a request went where it did', async () => {
  await using setup = await setUp({
    a: { slots: 1, models: [model('tiny')] },
    b: { slots: 1, models: [model('tiny')] },
  });
  const headers = { 'x-session-id': 'told' };
  const busy = chat(setup.router.url, long, { headers });
  const home = (await busy.head).headers['x-llamero-backend'];
  const answer = await chat(setup.router.url, { max_tokens: 1 }, { headers }).answer;
  const id = String(answer.headers['x-request-id']);
  const body = (await ask(`${setup.router.url}/api/decisions?request=${id}`).answer).json();
  const { decisions } = decisionsSchema.parse(body);
  expect(decisions).toHaveLength(1);
  const [decision] = decisions;
  expect(decision).toMatchObject({ request_id: id, model_id: 'tiny', attempt: 1, overtook: 0 });
  expect(decision?.backend_id).not.toBe(home);
  const excluded = decision?.candidates.find(({ backend_id }) => backend_id === home);
  expect(excluded?.excluded_by).toMatch(/\w/);
  const chosen = decision?.candidates.find(({ backend_id }) => backend_id === decision.backend_id);
  expect(chosen).toMatchObject({ excluded_by: null });
  expect(Object.keys(chosen?.scores ?? {}).length).toBeGreaterThan(0);
  busy.leave();
});

async function disposable(starting: Promise<LocalFakeEngine>) {
  const it = await starting;
  return { it, [Symbol.asyncDispose]: () => it.close() };
}
