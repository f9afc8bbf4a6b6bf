/** An ensemble on a real engine with one slot: its members take turns, and a client that leaves frees the slot. */
import Anthropic from '@anthropic-ai/sdk';
import { expect, onTestFinished, test } from 'vitest';
import { chat } from '../integration/client.ts';
import { startRouter, until } from '../integration/start-router.ts';
import { modelFile } from './gguf.ts';
import { realLlamaServer, startLlamaServer } from './llama-server.ts';

const { path, missing } = realLlamaServer();

async function startPanel(model: string) {
  const server = await startLlamaServer({ model, slots: 1, args: ['--alias', 'test'] });
  onTestFinished(() => server.stop());
  const router = await startRouter({
    backends: { real: { url: server.url } },
    ensembles: { panel: { models: 'test', answers: 2 } },
  });
  onTestFinished(() => router[Symbol.asyncDispose]());
  await router.ready();
  return router;
}

test('an ensemble answers with one real slot, whole and streamed', async (context) => {
  context.skip(path === undefined, missing);
  const router = await startPanel(modelFile());
  const answer = await chat(router.url, { model: 'panel', ignore_eos: true }).answer;
  expect(answer.status).toBe(200);
  expect(answer.json()).toMatchObject({ model: 'panel', choices: [{ finish_reason: 'length' }] });
  const { usage } = answer.json() as { usage: { prompt_tokens: number; completion_tokens: number } };
  expect(usage.completion_tokens).toBe(5 * 8);

  const { messages } = new Anthropic({ apiKey: 'none', maxRetries: 0, baseURL: router.url });
  const streamed = await messages
    .stream({ model: 'panel', max_tokens: 8, messages: [{ role: 'user', content: 'tell me of the river' }] })
    .finalMessage();
  expect(streamed.content).toMatchObject([{ type: 'text' }]);
  const { input_tokens: read, cache_read_input_tokens: cached } = streamed.usage;
  expect(read + (cached ?? 0)).toBeGreaterThan(usage.prompt_tokens / 2);
});

test('a client that leaves an ensemble frees the real slot', async (context) => {
  context.skip(path === undefined, missing);
  const router = await startPanel(modelFile({ ballast: 24 }));
  const asking = chat(router.url, { model: 'panel', max_tokens: 2000, ignore_eos: true });
  await until(async () => (await router.status()).backends[0]?.slots.own === 1);
  asking.leave();
  await until(async () => {
    const { backends, queue } = await router.status();
    return backends[0]?.slots.free === 1 && queue.depth === 0;
  });
  expect((await chat(router.url, { model: 'test', max_tokens: 1 }).answer).status).toBe(200);
});
