/** Prompts find the backend that has their beginning cached, by what engines were sent and what they say of it. */
import { describe, expect, test } from 'vitest';
import { affinitySchema, affinityStatsSchema } from '../../src/admin/contract-affinity.ts';
import { parsePrometheusText } from '../prometheus-text.ts';
import type { FakeEngineOptions } from '../fake-engine/fake-engine.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat, type Asking } from './client.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

interface Fleet extends AsyncDisposable {
  readonly router: TestRouter;
  readonly engines: readonly Awaited<ReturnType<typeof startFakeEngine>>[];
}

async function startFleet(config: object = {}, options: FakeEngineOptions = {}): Promise<Fleet> {
  const engines = await Promise.all([1, 2, 3].map(() => startFakeEngine(options)));
  const backends = Object.fromEntries(engines.map(({ url }, at) => [`b${at}`, { url }]));
  const router = await startRouter({ backends, ...config });
  await router.ready();
  return {
    router,
    engines,
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await Promise.all(engines.map((engine) => engine.close()));
    },
  };
}

const words = (count: number, seed: string): string =>
  Array.from({ length: count }, (_, at) => `${seed}${at}`).join(' ');
const system = { role: 'system', content: words(600, 'rule') };
const asking = (seed: string): object[] => [system, { role: 'user', content: words(60, seed) }];

async function placeOf(router: TestRouter, messages: object[], headers?: Record<string, string>) {
  const answer = await chat(router.url, { model: 'tiny', max_tokens: 2, messages }, headers && { headers })
    .answer;
  expect(answer.status).toBe(200);
  return answer.headers['x-llamero-backend'];
}

async function statsOf(router: TestRouter) {
  return affinityStatsSchema.parse((await ask(`${router.url}/api/affinity_stats`).answer).json());
}

async function explain(router: TestRouter, body: object, query = '') {
  const answer = await ask(`${router.url}/api/affinity${query}`, { method: 'POST', body }).answer;
  expect(answer.status, answer.body.toString()).toBe(200);
  return affinitySchema.parse(answer.json());
}

describe('prompts with a common beginning', () => {
  test('go one after the other to the backend that has read it, whoever asks', async () => {
    await using fleet = await startFleet();
    const places: unknown[] = [];
    for (const seed of ['cats', 'dogs', 'birds', 'fish']) {
      // A conversation of its own each: neither the pin nor the fingerprint ties them together.
      places.push(await placeOf(fleet.router, asking(seed), { 'x-session-id': seed }));
    }
    expect(new Set(places).size).toBe(1);
    const { prefix } = await statsOf(fleet.router);
    const used = prefix.backends.find(({ backend_id }) => backend_id === places[0]);
    expect(used).toMatchObject({ hits: 3, misses: 0, cold: 1, untold: 0 });
    expect(used?.cached_tokens).toBeGreaterThan(0);
    expect(used?.models).toEqual([{ model_id: 'tiny', blocks: expect.any(Number) as number }]);
  });

  test('take turns where nothing is remembered of prompts', async () => {
    await using fleet = await startFleet({ affinity: { prefix: { memory: 0 } } });
    const places: unknown[] = [];
    for (const seed of ['cats', 'dogs', 'birds']) {
      places.push(await placeOf(fleet.router, asking(seed), { 'x-session-id': seed }));
    }
    expect(new Set(places).size).toBe(3);
    expect((await statsOf(fleet.router)).prefix).toEqual({ blocks: 0, blocks_max: 0, backends: [] });
  });

  test('forget a backend that was away', async () => {
    await using fleet = await startFleet();
    const place = String(await placeOf(fleet.router, asking('cats')));
    const engine = fleet.engines[Number(place.slice(1))];
    await engine?.fault({ kind: 'refuse', ms: 700 });
    const stateOf = async (): Promise<string | undefined> =>
      (await fleet.router.status()).backends.find(({ id }) => id === place)?.state;
    await until(async () => (await stateOf()) === 'dead');
    await until(async () => (await stateOf()) === 'live');
    const { candidates } = await explain(fleet.router, { model: 'tiny', messages: asking('cats') });
    expect(candidates.map(({ scores }) => scores['prefix-affinity'])).toEqual([0, 0, 0]);
  });
});

describe('in a full fleet', () => {
  const slow = { id: 'tiny', contextTokens: 16_384, promptTokensPerS: 100_000, tokensPerS: 50 };
  const oneSlot = { slots: 1, models: [slow] } as const;
  const rules = { role: 'system', content: words(1500, 'rule') };
  const underRules = (seed: string): object[] => [rules, { role: 'user', content: words(20, seed) }];

  async function occupy(router: TestRouter, messages: object[]): Promise<Asking> {
    const request = chat(router.url, { model: 'tiny', stream: true, max_tokens: 2000, messages });
    await request.head;
    return request;
  }

  const waitFor = async (router: TestRouter, queued: number): Promise<void> =>
    until(async () => (await router.status()).queue.depth === queued);

  test('a free slot goes to the request whose prompt it has cached, before one that came earlier', async () => {
    await using fleet = await startFleet({}, oneSlot);
    const place = String(await placeOf(fleet.router, underRules('cats')));
    const running: Asking[] = [];
    for (const seed of ['dogs', 'birds', 'fish']) running.push(await occupy(fleet.router, underRules(seed)));
    const heads = await Promise.all(running.map(({ head }) => head));
    const there = heads.findIndex(({ headers }) => headers['x-llamero-backend'] === place);
    const order: string[] = [];
    const note = (name: string, messages: object[]): Promise<unknown> =>
      placeOf(fleet.router, messages).then((at) => order.push(`${name} at ${String(at)}`));
    const answers = [note('cold', [{ role: 'user', content: 'Hello' }])];
    await waitFor(fleet.router, 1);
    answers.push(note('cached', underRules('cows')));
    await waitFor(fleet.router, 2);
    running[there]?.leave();
    await Promise.all(answers);
    expect(order).toEqual([`cached at ${place}`, `cold at ${place}`]);
  });

  test('a request waits for the full backend that has its prompt while others are free', async () => {
    await using fleet = await startFleet({ affinity: { prefix: { patience: '60s' } } }, oneSlot);
    const place = await placeOf(fleet.router, underRules('cats'));
    expect(await placeOf(fleet.router, underRules('dogs'))).toBe(place);
    const busy = await occupy(fleet.router, underRules('birds'));
    const answer = placeOf(fleet.router, underRules('fish'));
    await waitFor(fleet.router, 1);
    expect(await placeOf(fleet.router, [{ role: 'user', content: 'Hello' }])).not.toBe(place);
    busy.leave();
    expect(await answer).toBe(place);
  });
});

describe('/api/affinity', () => {
  test('says where a request would go and why, and sends nothing', async () => {
    await using fleet = await startFleet();
    const place = await placeOf(fleet.router, asking('cats'));
    const told = await explain(fleet.router, { model: 'tiny', messages: asking('dogs') }, '?flow=127.0.0.1');
    expect(told).toMatchObject({ model_id: 'tiny', session: true, backend_id: place });
    expect(told.prompt?.blocks).toBeGreaterThan(8);
    const shares = told.candidates.map(({ scores }) => scores['prefix-affinity'] ?? -1);
    expect(shares[0]).toBeGreaterThan(0.8);
    expect(shares.slice(1)).toEqual([0, 0]);
    expect((await fleet.router.status()).requests.total).toBe(1);
  });

  test('says why nobody would take it', async () => {
    await using fleet = await startFleet();
    const told = await explain(fleet.router, { model: 'unheard-of', messages: asking('dogs') });
    expect(told.backend_id).toBeNull();
    expect(told.candidates.map(({ excluded_by }) => excluded_by)).toEqual(Array(3).fill('serves-model'));
  });

  test.each([
    ['a body that is no object', 'words'],
    ['a parameter that it has not', '{}'],
  ])('refuses %s', async (what, body) => {
    await using fleet = await startFleet();
    const query = what.startsWith('a parameter') ? '?nonsense=1' : '';
    const answer = await ask(`${fleet.router.url}/api/affinity${query}`, { method: 'POST', body }).answer;
    expect(answer.status).toBe(400);
  });
});

test('/api/affinity_stats lists where conversations went last, without their names', async () => {
  await using fleet = await startFleet();
  const place = await placeOf(fleet.router, asking('cats'), { 'x-session-id': 'secret-name' });
  const stats = await statsOf(fleet.router);
  expect(stats).toMatchObject({ enabled: true, ttl: 600, sessions: 1 });
  expect(stats.entries).toEqual([
    { endpoint: place, model: 'tiny', remaining: expect.any(Number) as number },
  ]);
  expect(JSON.stringify(stats)).not.toContain('secret-name');
});

test('metrics say how guesses of what is cached turned out', async () => {
  await using fleet = await startFleet();
  await placeOf(fleet.router, asking('cats'));
  const place = String(await placeOf(fleet.router, asking('dogs')));
  const families = parsePrometheusText((await ask(`${fleet.router.url}/metrics`).answer).body.toString());
  const samples = families.get('llamero_prefix_prompts_total')?.samples ?? [];
  expect(samples.find(({ labels }) => labels['backend'] === place && labels['result'] === 'hit')?.value).toBe(
    1,
  );
});
