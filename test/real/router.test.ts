/** The main job on real engines: slots fill, requests wait, a dying server loses nothing that had not started. */
import { describe, expect, test } from 'vitest';
import { ask, chat, type Answer } from '../integration/client.ts';
import { startRouter, until } from '../integration/start-router.ts';
import { modelFile } from './gguf.ts';
import {
  realLlamaServer,
  startLlamaServer,
  type LlamaServer,
  type LlamaServerOptions,
} from './llama-server.ts';

const { path, missing } = realLlamaServer();

/** About 200 tokens a second alone. */
const slowModel = () => modelFile({ ballast: 24 });
const quickModel = () => modelFile();

async function startFleet(
  count: number,
  options: LlamaServerOptions,
  config: object = {},
  backend: object = {},
) {
  const servers = await Promise.all(Array.from({ length: count }, () => startLlamaServer(options)));
  const backends = Object.fromEntries(servers.map(({ url }, index) => [`s${index}`, { url, ...backend }]));
  const router = await startRouter({ backends, ...config });
  await router.ready();
  return {
    servers,
    router,
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

async function busySlots(server: LlamaServer): Promise<number> {
  const { body } = await ask(`${server.url}/slots`, { headers: { connection: 'close' } }).answer;
  return (JSON.parse(body.toString()) as { is_processing: boolean }[]).filter((slot) => slot.is_processing)
    .length;
}

const long = { model: 'test', max_tokens: 300, ignore_eos: true, stream: true };

test('requests fill the real slots of all servers, and the others wait here, not there', async (context) => {
  context.skip(path === undefined, missing);
  await using fleet = await startFleet(2, {
    model: slowModel(),
    slots: 2,
    args: ['--alias', 'test', '--metrics'],
  });
  const asking = Array.from({ length: 7 }, (_, index) =>
    chat(fleet.router.url, { ...long, messages: [{ role: 'user', content: `story ${index}` }] }),
  );
  await until(async () => (await fleet.router.status()).queue.depth === 3);
  await until(async () => (await Promise.all(fleet.servers.map(busySlots))).every((busy) => busy === 2));
  const metrics = await Promise.all(
    fleet.servers.map(({ url }) => ask(`${url}/metrics`, { headers: { connection: 'close' } }).answer),
  );
  for (const { body } of metrics) expect(body.toString()).toMatch(/llamacpp:requests_deferred 0\b/);
  const answers = await Promise.all(asking.map(({ answer }) => answer));
  expect(answers.map(({ status, complete }) => [status, complete])).toEqual(answers.map(() => [200, true]));
  expect(new Set(answers.map(({ headers }) => headers['x-llamero-backend']))).toEqual(new Set(['s0', 's1']));
});

test('kill -9 of a server under load loses no request that had not started', async (context) => {
  context.skip(path === undefined, missing);
  await using fleet = await startFleet(2, {
    model: slowModel(),
    slots: 2,
    args: ['--alias', 'test', '--metrics'],
  });
  const started = new Set<number>();
  const asking = Array.from({ length: 12 }, (_, index) =>
    chat(
      fleet.router.url,
      { ...long, max_tokens: 120, messages: [{ role: 'user', content: `tale ${index}` }] },
      { onChunk: () => started.add(index) },
    ),
  );
  await until(() => started.size >= 4);
  const running = new Set(started);
  await fleet.servers[0]?.kill9();
  const answers = await Promise.all(asking.map(({ answer }) => answer));
  const lost = answers.flatMap(({ status, complete }, index) => (status === 200 && complete ? [] : [index]));
  expect(
    lost.filter((index) => !running.has(index)),
    'lost without having started',
  ).toEqual([]);
  expect(lost.length, 'at most the slots of the killed server').toBeLessThanOrEqual(2);
});

describe('conversations', () => {
  const words =
    'the river runs by the old stone house and nobody has seen the light in the window since the winter came '.repeat(
      8,
    );

  async function cachedTokens(config: object): Promise<number[]> {
    await using fleet = await startFleet(
      3,
      { model: quickModel(), slots: 2, args: ['--alias', 'test', '--cache-ram', '0'] },
      config,
    );
    const cached: number[] = [];
    const messages = [
      { role: 'system', content: words },
      { role: 'user', content: 'begin' },
    ];
    for (let turn = 0; turn < 6; turn += 1) {
      const answer = await chat(fleet.router.url, { model: 'test', max_tokens: 6, messages }).answer;
      const { timings, choices } = answer.json() as {
        timings: { cache_n: number };
        choices: { message: { role: string; content: string } }[];
      };
      cached.push(timings.cache_n);
      const reply = choices[0]?.message;
      messages.push(
        { role: 'assistant', content: reply?.content ?? '' },
        { role: 'user', content: `turn ${turn}` },
      );
    }
    return cached;
  }

  test('stay where their prompt is cached, which real timings show; without affinity they do not', async (context) => {
    context.skip(path === undefined, missing);
    const withAffinity = await cachedTokens({});
    expect(
      withAffinity.slice(1).every((tokens) => tokens > 150),
      `cached: ${withAffinity.join(' ')}`,
    ).toBe(true);
    const without = await cachedTokens({
      affinity: { session: { enabled: false } },
      scheduling: { preset: 'llamacpp-ha' },
    });
    expect(
      without.slice(0, 3).every((tokens) => tokens < 50),
      `cached: ${without.join(' ')}`,
    ).toBe(true);
  });
});

describe('leaving', () => {
  test('a client that leaves its stream frees the real slot', async (context) => {
    context.skip(path === undefined, missing);
    await using fleet = await startFleet(1, {
      model: slowModel(),
      slots: 1,
      args: ['--alias', 'test', '--metrics'],
    });
    const [server] = fleet.servers;
    const asking = chat(fleet.router.url, { ...long, max_tokens: 3000 });
    (await asking.head).once('data', () => asking.leave());
    await until(async () => server !== undefined && (await busySlots(server)) === 0, 3000);
    const next = await chat(fleet.router.url, { ...long, max_tokens: 2 }).answer;
    expect(next.complete).toBe(true);
  });

  test('a non-streaming request goes on at the engine, and its slot stays taken until the engine is seen idle', async (context) => {
    context.skip(path === undefined, missing);
    const options = { model: slowModel(), slots: 1, args: ['--alias', 'test', '--metrics'] };
    await using fleet = await startFleet(1, options, {}, { cancelNonStreaming: false });
    const [server] = fleet.servers;
    const asking = chat(fleet.router.url, { ...long, stream: false, max_tokens: 400 });
    await until(async () => server !== undefined && (await busySlots(server)) === 1);
    asking.leave();
    await until(async () => (await fleet.router.status()).backends[0]?.slots.lingering === 1);
    expect((await fleet.router.status()).backends[0]?.slots.free).toBe(0);
    await until(async () => (await fleet.router.status()).backends[0]?.slots.free === 1, 15_000);
    expect(server === undefined ? 1 : await busySlots(server)).toBe(0);
  });
});

describe('a request asked for as a stream and put together again', () => {
  const cases: readonly (readonly [string, string, object])[] = [
    [
      'chat',
      '/v1/chat/completions',
      { messages: [{ role: 'user', content: 'tell me of the river' }], max_tokens: 20 },
    ],
    [
      'chat with logprobs',
      '/v1/chat/completions',
      { messages: [{ role: 'user', content: 'tell me' }], max_tokens: 5, logprobs: true, top_logprobs: 2 },
    ],
    [
      'chat with a tool',
      '/v1/chat/completions',
      {
        messages: [{ role: 'user', content: 'weather' }],
        max_tokens: 200,
        tools: [
          {
            type: 'function',
            function: {
              name: 'get_weather',
              parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
            },
          },
        ],
      },
    ],
    ['completions', '/v1/completions', { prompt: 'the river', max_tokens: 9 }],
    ['native completion', '/completion', { prompt: 'the river', n_predict: 9 }],
  ];

  test.each(cases)('is what the engine itself would have answered: %s', async (_name, route, body) => {
    if (path === undefined) return;
    const server = await startLlamaServer({
      model: quickModel(),
      slots: 1,
      args: ['--alias', 'test', '--metrics'],
    });
    await using router = await startRouter({
      backends: { plain: { url: server.url } },
    });
    await router.ready();
    const asked = { ...body, model: 'test', seed: 7, temperature: 0, cache_prompt: false };
    const own = await ask(`${server.url}${route}`, { body: asked, headers: { connection: 'close' } }).answer;
    const through = await ask(`${router.url}${route}`, { body: asked }).answer;
    expect(through.status).toBe(own.status);
    expect(through.headers['content-type']).toBe(own.headers['content-type']);
    expect(withoutMoments(through)).toEqual(withoutMoments(own));
    await server.stop();
  });
});

/** Ids and times differ from one answer to the next. */
function withoutMoments(answer: Answer): unknown {
  return JSON.parse(answer.body.toString(), (key, value: unknown) =>
    /^(id|id_slot|created|.*_ms|.*_per_second|stream)$/.test(key) ? `(${typeof value})` : value,
  ) as unknown;
}
