import { describe, expect, test } from 'vitest';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from './client.ts';
import { startRouter } from './start-router.ts';

const keepalive = { streaming: { keepalive: '50ms' } };

async function oneEngine(config: object = keepalive) {
  const engine = await startFakeEngine({ slots: 1 });
  const router = await startRouter({ backends: { one: { url: engine.url } }, ...config });
  await router.ready();
  return {
    engine,
    router,
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await engine.close();
    },
  };
}

const messages = [{ role: 'user', content: 'tell me of the river' }];
const anthropic = { model: 'tiny', max_tokens: 8, stream: true, messages };

describe('a client that asked for a stream', () => {
  test('gets its head and comments while the prompt is read, then the stream as the engine sends it', async () => {
    await using setup = await oneEngine();
    await setup.engine.fault({ kind: 'delayHead', ms: 300 });
    const answer = await chat(setup.router.url, { stream: true }).answer;
    const text = answer.body.toString();
    expect([answer.status, answer.headers['content-type'], answer.complete]).toEqual([
      200,
      'text/event-stream',
      true,
    ]);
    expect(answer.headers['x-request-id']).toBeTruthy();
    expect(answer.headers['cache-control']).toBe('no-cache');
    expect(text).toMatch(/^(:\n\n){2,}data: \{/);
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
    const line = setup.router.logLines.findLast(({ msg }) => msg === 'request');
    expect(line).toMatchObject({ status: 200, outcome: 'completed' });
  });

  test('gets them between the head and the first byte of the engine, too', async () => {
    await using setup = await oneEngine();
    await setup.engine.fault({ kind: 'delayBody', ms: 300 });
    const answer = await chat(setup.router.url, { stream: true }).answer;
    expect(answer.body.toString()).toMatch(/^(:\n\n){2,}data: \{/);
    expect(answer.complete).toBe(true);
  });

  test('gets them while it waits for a slot', async () => {
    await using setup = await oneEngine();
    const first = chat(setup.router.url, { stream: true, max_tokens: 100 });
    await first.head;
    const second = await chat(setup.router.url, { stream: true }).answer;
    expect(second.body.toString()).toMatch(/^(:\n\n){2,}data: \{/);
    expect((await first.answer).complete).toBe(true);
  });

  test('gets pings in the Messages API', async () => {
    await using setup = await oneEngine();
    await setup.engine.fault({ kind: 'delayHead', ms: 300 });
    const answer = await ask(`${setup.router.url}/v1/messages`, { body: anthropic }).answer;
    expect(answer.body.toString()).toMatch(
      /^(event: ping\ndata: \{"type":"ping"\}\n\n){2,}event: message_start\n/,
    );
    expect(answer.complete).toBe(true);
  });

  test('is moved to another backend although its head is out', async () => {
    await using setup = await oneEngine();
    const other = await startFakeEngine();
    await setup.router.reload({
      backends: { one: { url: setup.engine.url, slots: 1 }, other: { url: other.url, slots: 1 } },
      ...keepalive,
    });
    await setup.router.ready();
    for (const engine of [setup.engine, other]) await engine.fault({ kind: 'delayHead', ms: 200, times: 1 });
    for (const engine of [setup.engine, other]) {
      await engine.fault({ kind: 'status', status: 503, body: '{"error":{"message":"full"}}', times: 1 });
    }
    const answer = await chat(setup.router.url, { stream: true }).answer;
    expect([answer.status, answer.complete]).toEqual([200, true]);
    await other.close();
  });

  test.each([
    [
      '/v1/chat/completions',
      /\n\ndata: {"error":{"message":"too long","type":"exceeded","param":null,"code":400}}\n\n$/,
    ],
    [
      '/v1/responses',
      /\n\nevent: response\.failed\ndata: {"type":"response\.failed",.*"error":{"code":"invalid_prompt","message":"too long"}.*}\n\n$/,
    ],
    [
      '/v1/messages',
      /\n\nevent: error\ndata: {"type":"error","error":{"type":"invalid_request_error","message":"too long"}}\n\n$/,
    ],
  ])("gets the engine's refusal as an event of %s", async (path, event) => {
    await using setup = await oneEngine();
    await setup.engine.fault({
      kind: 'status',
      status: 400,
      body: '{"error":{"message":"too long","type":"exceeded","code":400}}',
    });
    await setup.engine.fault({ kind: 'delayHead', ms: 200 });
    const body = { model: 'tiny', stream: true, messages, input: 'x', max_tokens: 5 };
    const answer = await ask(setup.router.url + path, { body }).answer;
    expect([answer.status, answer.complete]).toEqual([200, true]);
    expect(answer.body.toString()).toMatch(event);
    const line = setup.router.logLines.findLast(({ msg }) => msg === 'request');
    expect(line).toMatchObject({ status: 200, outcome: 'passed_through_error' });
  });

  test("gets the router's own error as an event and the end of the stream", async () => {
    await using setup = await oneEngine({ ...keepalive, scheduling: { queueTimeout: '300ms' } });
    const first = chat(setup.router.url, { stream: true, max_tokens: 400 });
    await first.head;
    const second = await chat(setup.router.url, { stream: true }).answer;
    first.leave();
    expect([second.status, second.complete]).toEqual([200, true]);
    expect(second.body.toString()).toMatch(/^(:\n\n)+data: \{"error":\{.*"code":"queue_timeout"\}\}\n\n$/);
  });

  test('gets a status of its own when the error comes before the first silence', async () => {
    await using setup = await oneEngine({ scheduling: { queueTimeout: '100ms' } });
    const first = chat(setup.router.url, { stream: true, max_tokens: 400 });
    await first.head;
    const second = await chat(setup.router.url, { stream: true }).answer;
    first.leave();
    expect(second.status).toBe(503);
  });
});

test.each([
  ['a client that wants a whole answer', keepalive, {}],
  ['anybody, with streaming.keepalive 0', { streaming: { keepalive: 0 } }, { stream: true }],
])('no sign of life is sent to %s', async (_name, config, more) => {
  await using setup = await oneEngine(config);
  await setup.engine.fault({ kind: 'delayHead', ms: 200 });
  const answer = await chat(setup.router.url, more).answer;
  expect(answer.status).toBe(200);
  expect(answer.body.toString()).toMatch(/^(?:data: )?\{/);
});
