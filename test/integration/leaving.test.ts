import { describe, expect, test } from 'vitest';
import { startFakeEngine } from '../fake-engine/start.ts';
import { chat } from './client.ts';
import { startRouter, until } from './start-router.ts';

const slow = { id: 'tiny', contextTokens: 4096, promptTokensPerS: 50_000, tokensPerS: 20 };
const slowPrompt = { id: 'tiny', contextTokens: 4096, promptTokensPerS: 10, tokensPerS: 100 };

async function setUp(model: typeof slow, backend: object = {}, config: object = {}) {
  const engine = await startFakeEngine({ slots: 1, models: [model] });
  const router = await startRouter({ backends: { one: { url: engine.url, ...backend } }, ...config });
  await router.ready();
  const slots = async () => (await router.status()).backends[0]?.slots;
  const outcomes = () => router.logLines.filter(({ msg }) => msg === 'request').map(({ outcome }) => outcome);
  return {
    engine,
    router,
    slots,
    outcomes,
    busy: () => engine.engine.state().models[0]?.slotsBusy ?? 0,
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await engine.close();
    },
  };
}

describe('a client that leaves', () => {
  test('while it waits is taken out of the queue, and its request never reaches an engine', async () => {
    await using setup = await setUp(slow);
    const first = chat(setup.router.url, { stream: true, max_tokens: 400 });
    await first.head;
    const second = chat(setup.router.url);
    await until(async () => (await setup.router.status()).queue.depth === 1);
    second.leave();
    await until(async () => (await setup.router.status()).queue.depth === 0);
    await until(() => setup.outcomes().includes('cancelled_queued'));
    first.leave();
    await until(() => setup.busy() === 0);
    expect((await setup.engine.report()).requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('in the middle of a stream frees the slot at once', async () => {
    await using setup = await setUp(slow);
    const asking = chat(setup.router.url, { stream: true, max_tokens: 400 });
    (await asking.head).once('data', () => asking.leave());
    await until(() => setup.outcomes().includes('cancelled_streaming'));
    await until(() => setup.busy() === 0, 2000);
    await until(async () => (await setup.slots())?.free === 1);
    expect(await setup.slots()).toMatchObject({ own: 0, lingering: 0, free: 1 });
  });

  test('during the prompt ends its request at the engine', async () => {
    await using setup = await setUp(slowPrompt);
    const asking = chat(setup.router.url, { stream: true });
    await until(() => setup.busy() === 1);
    asking.leave();
    await until(() => setup.outcomes().includes('cancelled_waiting'));
    await until(async () => (await setup.slots())?.free === 1);
  });

  test('without streaming leaves its slot taken until the engine is seen idle', async () => {
    await using setup = await setUp(slow, { cancelNonStreaming: false });
    const asking = chat(setup.router.url, { max_tokens: 60 });
    await until(() => setup.busy() === 1);
    asking.leave();
    await until(() => setup.outcomes().includes('cancelled_waiting'));
    expect(await setup.slots()).toMatchObject({ own: 0, lingering: 1, free: 0 });
    const next = chat(setup.router.url, { stream: true, max_tokens: 2 });
    await until(async () => (await setup.router.status()).queue.depth === 1);
    expect((await next.answer).status).toBe(200);
    expect((await setup.engine.report()).concurrencyMax).toBe(1);
    await until(async () => (await setup.slots())?.free === 1);
  });

  test('without streaming frees the slot at once because such requests are asked for as a stream', async () => {
    await using setup = await setUp(slow);
    const asking = chat(setup.router.url, { max_tokens: 400 });
    await until(() => setup.busy() === 1);
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
    asking.leave();
    await until(() => setup.busy() === 0, 2000);
    await until(async () => (await setup.slots())?.free === 1);
  });
});

describe('an operator', () => {
  test('cancels a waiting and a running request by the API', async () => {
    await using setup = await setUp(slow);
    const running = chat(setup.router.url, { stream: true, max_tokens: 400 });
    await running.head;
    const waiting = chat(setup.router.url);
    await until(async () => (await setup.router.status()).queue.depth === 1);
    const listed = (await (await fetch(`${setup.router.url}/api/requests`)).json()) as {
      queued: { request_id: string }[];
      running: { request_id: string }[];
    };
    for (const { request_id: id } of [...listed.queued, ...listed.running]) {
      const cancelled = await fetch(`${setup.router.url}/api/requests/${id}/cancel`, { method: 'POST' });
      expect(cancelled.status).toBe(202);
    }
    expect((await waiting.answer).status).toBe(499);
    expect((await running.answer).complete).toBe(false);
    await until(() => setup.busy() === 0);
  });
});
