/** A conversation that a real llama-server finds too long, and the counts by which it is made to fit. */
import { expect, test } from 'vitest';
import { ask } from '../integration/client.ts';
import { startRouter, until } from '../integration/start-router.ts';
import { modelFile } from './gguf.ts';
import { realLlamaServer, startLlamaServer } from './llama-server.ts';

const { path, missing } = realLlamaServer();

const contextTokens = 512;
const river = 'the river runs by the old stone house and nobody has seen the light in the window ';

/** Three questions and two answers, of which the last three fit. */
const messages = [
  { role: 'system', content: 'be brief' },
  { role: 'user', content: `one ${river.repeat(12)}` },
  { role: 'assistant', content: `two ${river.repeat(12)}` },
  { role: 'user', content: `three ${river}` },
  { role: 'assistant', content: `four ${river}` },
  { role: 'user', content: 'five' },
];

async function startSmall(repairs: object) {
  const server = await startLlamaServer({
    model: modelFile(),
    slots: 1,
    contextTokens,
    args: ['--alias', 'test'],
  });
  const router = await startRouter({ backends: { one: { url: server.url, repairs } } });
  await router.ready();
  return {
    server,
    router,
    post: (route: string, body: object) => ask(router.url + route, { body }).answer,
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await server.stop();
    },
  };
}

test('a conversation that is too long is refused by the engine, where nobody wants it shortened', async (context) => {
  context.skip(path === undefined, missing);
  await using setup = await startSmall({});
  const { status, json } = await setup.post('/v1/chat/completions', {
    model: 'test',
    max_tokens: 8,
    messages,
  });
  expect(status).toBe(400);
  expect(json()).toMatchObject({ error: { type: 'exceed_context_size_error', n_ctx: contextTokens } });
});

test.for<[string, object]>([
  ['/v1/chat/completions', { max_tokens: 8, messages }],
  ['/v1/chat/completions', { max_tokens: 8, messages, stream: true }],
  ['/v1/messages', { max_tokens: 8, system: 'be brief', messages: messages.slice(1), stream: true }],
  ['/v1/responses', { max_output_tokens: 8, input: messages }],
  ['/api/chat', { options: { num_predict: 8 }, messages }],
])(
  'a conversation on %s (%#) goes without its oldest turns and is answered',
  async ([route, body], context) => {
    context.skip(path === undefined, missing);
    await using setup = await startSmall({ trimContext: true });
    const answer = await setup.post(route, { model: 'test', ...body });
    expect([answer.status, answer.complete]).toEqual([200, true]);
    expect(answer.headers['x-llamero-repaired']).toBe('trimContext(2)');
    await until(async () => (await setup.router.status()).requests.in_flight === 0);
    const { recent } = (await ask(`${setup.router.url}/api/requests`).answer).json() as {
      recent: { outcome: string; input_tokens: number; repairs: string[] }[];
    };
    expect(recent[0]).toMatchObject({ outcome: 'completed', repairs: ['trimContext(2)'] });
    expect(recent[0]?.input_tokens).toBeGreaterThan(20);
    expect(recent[0]?.input_tokens).toBeLessThan(contextTokens);
  },
);

test('an image that the model cannot see is left out', async (context) => {
  context.skip(path === undefined, missing);
  await using setup = await startSmall({ dropImages: true });
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
  const content = [{ type: 'text', text: 'what is it' }, image];
  const body = { model: 'test', max_tokens: 4, messages: [{ role: 'user', content }] };
  const answer = await setup.post('/v1/chat/completions', body);
  expect([answer.status, answer.headers['x-llamero-repaired']]).toEqual([200, 'dropImages']);
});
