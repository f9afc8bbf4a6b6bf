/** Requests with images in a fleet where not every model can see: who gets them, and what callers read when nobody can. */
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { startScriptedEngine, type ScriptedEngine } from '../fake-engine/scripted-engine.ts';
import { ask } from './client.ts';
import { withModels } from './fake-models.ts';
import { startRouter, type TestRouter } from './start-router.ts';

const closing: (() => PromiseLike<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** As llama-server lists its model. `inputs`: undefined = an older one, which does not tell. */
function probesOf(inputs: readonly string[] | undefined): Readonly<Record<string, object>> {
  const architecture = { input_modalities: inputs, output_modalities: ['text'] };
  const model = { id: 'm', object: 'model', ...(inputs !== undefined && { architecture }) };
  return {
    '/health': { status: 'ok' },
    '/props': { default_generation_settings: { n_ctx: 4096 }, build_info: 'b11669', total_slots: 4 },
    '/v1/models': { object: 'list', data: [model] },
  };
}

const completion = {
  id: 'x',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'A river' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
};
const blindMessage =
  'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj';

async function startEngine(inputs: readonly string[] | undefined, canSee: boolean): Promise<ScriptedEngine> {
  const engine = await startScriptedEngine({
    probes: probesOf(inputs),
    answer: ({ text }) =>
      canSee || !/"image(?:_url)?"/.test(text)
        ? { body: completion }
        : { status: 500, body: { error: { code: 500, message: blindMessage, type: 'server_error' } } },
  });
  closing.push(() => engine.close());
  return engine;
}

async function routerOver(
  engines: Readonly<Record<string, ScriptedEngine>>,
  more: object = {},
): Promise<TestRouter> {
  const backends = Object.entries(engines).map(([id, { url }]) => [id, { url, engine: 'llamacpp', ...more }]);
  const router = await startRouter({ backends: Object.fromEntries(backends) });
  closing.push(() => router[Symbol.asyncDispose]());
  await router.ready();
  return router;
}

const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const url = `data:image/png;base64,${pixel}`;
const source = { type: 'base64', media_type: 'image/png', data: pixel };

const callers = [
  {
    path: '/v1/chat/completions',
    body: { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] },
  },
  {
    path: '/v1/responses',
    body: { input: [{ role: 'user', content: [{ type: 'input_image', image_url: url }] }] },
  },
  {
    path: '/v1/messages',
    body: { max_tokens: 9, messages: [{ role: 'user', content: [{ type: 'image', source }] }] },
  },
  { path: '/api/chat', body: { messages: [{ role: 'user', content: 'what is it', images: [pixel] }] } },
  { path: '/api/generate', body: { prompt: 'what is it', images: [pixel] } },
];

const messageIn = (body: Readonly<Record<string, unknown>>): unknown => {
  const { error } = body;
  return typeof error === 'object' && error !== null && 'message' in error ? error.message : error;
};

test('a picture may have more bytes than the context has tokens', async () => {
  const seeing = await startEngine(['text', 'image'], true);
  const router = await routerOver({ seeing });
  const large = `data:image/png;base64,${randomBytes(200_000).toString('base64')}`;
  const content = [{ type: 'image_url', image_url: { url: large } }];
  const answer = await ask(`${router.url}/v1/chat/completions`, {
    body: { model: 'm', messages: [{ role: 'user', content }] },
  }).answer;
  expect(answer.status).toBe(200);
});

describe.each(callers)('a request with an image to $path', ({ path, body }) => {
  test('goes where the model can see', async () => {
    const blind = await startEngine(['text'], false);
    const seeing = await startEngine(['text', 'image'], true);
    const router = await routerOver({ blind, seeing });
    for (const _ of [1, 2, 3]) {
      const answer = await ask(router.url + path, { body: { model: 'm', stream: false, ...body } }).answer;
      expect([answer.status, answer.body.toString()]).toEqual([200, expect.stringContaining('A river')]);
    }
    expect([blind.asked.length, seeing.asked.length]).toEqual([0, 3]);
  });

  test.each([false, true])(
    'is refused in its own API when nobody can see, with stream: %s',
    async (stream) => {
      const blind = await startEngine(['text'], false);
      const router = await routerOver({ blind });
      const answer = await ask(router.url + path, { body: { model: 'm', stream, ...body } }).answer;
      expect([answer.status, messageIn(answer.json())]).toEqual([
        400,
        "Model 'm' does not support image input",
      ]);
      expect(blind.asked).toHaveLength(0);
    },
  );

  test('is refused without loading the model where the configuration says what it takes', async () => {
    const config = await withModels({ blind: { capabilities: { in: ['text'] } }, told: {} });
    await using router = await startRouter(config);
    const asked = (model: string) =>
      ask(router.url + path, { body: { ...body, model, stream: false } }).answer;
    const answer = await asked('blind');
    expect([answer.status, messageIn(answer.json())]).toEqual([
      400,
      "Model 'blind' does not support image input",
    ]);
    expect((await ask(`${router.url}/running`).answer).json()).toEqual({ running: [] });
    const running = async () => JSON.stringify((await ask(`${router.url}/running`).answer).json());
    await asked('told');
    expect(await running()).toContain('told');
    const { models } = config;
    await router.reload({
      ...config,
      models: { ...models, blind: { ...models.blind, capabilities: { in: ['text', 'image'] } } },
    });
    await asked('blind');
    expect(await running()).toContain('blind');
  });
});

test.each(callers.filter(({ path }) => path.startsWith('/api') || path === '/v1/responses'))(
  'an engine that finds out by itself that it cannot see is a fault of the request to $path',
  async ({ path, body }) => {
    const blind = await startEngine(undefined, false);
    const router = await routerOver({ blind });
    for (const stream of [false, true]) {
      const answer = await ask(router.url + path, { body: { model: 'm', stream, ...body } }).answer;
      expect([answer.status, messageIn(answer.json())]).toEqual([400, blindMessage]);
    }
  },
);

test('a backend that leaves images out gets the request when nobody can see', async () => {
  const blind = await startEngine(['text'], false);
  const router = await routerOver({ blind }, { repairs: { dropImages: true } });
  const { path, body } = callers[3] ?? { path: '', body: {} };
  const answer = await ask(router.url + path, { body: { model: 'm', stream: false, ...body } }).answer;
  expect([answer.status, answer.headers['x-llamero-repaired']]).toEqual([200, 'dropImages']);
});

test('a request that only speaks of images goes to any backend', async () => {
  const blind = await startEngine(['text'], true);
  const router = await routerOver({ blind });
  const parameters = { type: 'object', properties: { image_url: { type: 'string' } } };
  const tools = [{ type: 'function', function: { name: 'look', parameters } }];
  const messages = [{ role: 'user', content: 'what does "image_url" mean' }];
  const body = { model: 'm', messages, tools };
  expect((await ask(`${router.url}/v1/chat/completions`, { body }).answer).status).toBe(200);
});
