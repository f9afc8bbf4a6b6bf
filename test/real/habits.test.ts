/** What a real llama-server does that a router must know, seen through the router. Facts: one test each. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ask, chat } from '../integration/client.ts';
import { startRouter, until } from '../integration/start-router.ts';
import { modelFile } from './gguf.ts';
import { realLlamaServer, startLlamaServer, type LlamaServerOptions } from './llama-server.ts';

const { path, missing } = realLlamaServer();

async function behindRouter(options: LlamaServerOptions, config: object = {}) {
  const server = await startLlamaServer({ ...options, args: ['--alias', 'test', ...(options.args ?? [])] });
  const router = await startRouter({ backends: { real: { url: server.url } }, ...config });
  await router.ready();
  return {
    server,
    router,
    lines: () => router.logLines.filter(({ msg }) => msg === 'request'),
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await server.stop();
    },
  };
}

const long = { model: 'test', stream: true, max_tokens: 3000, ignore_eos: true };

test('sockets are closed by the server after 100 requests and 5 idle seconds: no request notices', async (context) => {
  context.skip(path === undefined, missing);
  await using setup = await behindRouter({ model: modelFile(), slots: 2 });
  for (let count = 0; count < 130; count += 1) {
    const answer = await chat(setup.router.url, { model: 'test', max_tokens: 1 }).answer;
    expect([answer.status, answer.headers['x-llamero-attempts']]).toEqual([200, undefined]);
  }
  for (const idleMs of [4800, 5200]) {
    await pause(idleMs);
    const answer = await chat(setup.router.url, { model: 'test', max_tokens: 1 }).answer;
    expect([answer.status, answer.headers['x-llamero-attempts']]).toEqual([200, undefined]);
  }
}, 60_000);

test('x-conversation-id would detach a stream from its client: it does not get there, and leaving frees the slot', async (context) => {
  context.skip(path === undefined, missing);
  await using setup = await behindRouter({ model: modelFile({ ballast: 24 }), slots: 1 });
  const asking = chat(setup.router.url, long, { headers: { 'x-conversation-id': 'c1' } });
  (await asking.head).once('data', () => asking.leave());
  await until(async () => {
    const { body } = await ask(`${setup.server.url}/slots`, { headers: { connection: 'close' } }).answer;
    return !body.toString().includes('"is_processing":true');
  }, 4000);
});

test('the status line of a stream means that a slot has it', async (context) => {
  context.skip(path === undefined, missing);
  await using setup = await behindRouter(
    { model: modelFile({ ballast: 24 }), slots: 1, args: ['--metrics'] },
    { probes: { interval: '10s' } },
  );
  // Somebody beside the router takes the only slot, unseen until the next reading.
  const foreign = chat(setup.server.url, { ...long, max_tokens: 150 }, { headers: { connection: 'close' } });
  await foreign.head;
  const started = performance.now();
  const own = chat(setup.router.url, { ...long, max_tokens: 2 });
  await foreign.answer;
  const foreignMs = performance.now() - started;
  await own.answer;
  await until(() => setup.lines().length === 1);
  expect(Number(setup.lines()[0]?.['headMs'])).toBeGreaterThan(foreignMs * 0.5);
});

test('an error inside a 200 stream is a failure, and the client sees an abnormal end', async (context) => {
  context.skip(path === undefined, missing);
  // Four slots share one pool of 512 tokens; together they overrun it.
  await using setup = await behindRouter({
    model: modelFile({ ballast: 8 }),
    args: ['--parallel', '4', '--kv-unified', '-c', '512'],
  });
  const answers = await Promise.all(
    Array.from(
      { length: 4 },
      (_, index) =>
        chat(setup.router.url, { ...long, messages: [{ role: 'user', content: `tale ${index}` }] }).answer,
    ),
  );
  const broken = answers.filter(({ body }) => body.includes('"error"'));
  expect(broken.length).toBeGreaterThan(0);
  for (const { status, complete, body } of broken) {
    expect([status, complete]).toEqual([200, false]);
    expect(body.toString()).toContain('Context size has been exceeded');
  }
  await until(() => setup.lines().length === 4);
  expect(setup.lines().filter(({ outcome }) => outcome === 'failed_midstream')).toHaveLength(broken.length);
});

test('an answer of 501 that blames the request does not count against the server', async (context) => {
  context.skip(path === undefined, missing);
  await using setup = await behindRouter(
    { model: modelFile(), slots: 1 },
    { probes: { interval: '1m', breakerFailures: 1 } },
  );
  const body = { model: 'test', query: 'river', documents: ['a river', 'a hill'] };
  for (let count = 0; count < 3; count += 1) {
    const answer = await ask(`${setup.router.url}/v1/rerank`, { body }).answer;
    expect([answer.status, answer.json()]).toMatchObject([501, { error: { type: 'not_supported_error' } }]);
  }
  expect((await chat(setup.router.url, { model: 'test', max_tokens: 1 }).answer).status).toBe(200);
});
