/** What it is worth to a real llama-server to be told which slot to use: conversations under one system text keep theirs. */
import { expect, test } from 'vitest';
import { chat } from '../integration/client.ts';
import { startRouter } from '../integration/start-router.ts';
import { modelFile } from './gguf.ts';
import { realLlamaServer, startLlamaServer } from './llama-server.ts';

const { path, missing } = realLlamaServer();

interface Timings {
  readonly cache_n: number;
  readonly prompt_n: number;
}

const words = (count: number, seed: string): string =>
  Array.from({ length: count }, (_, at) => `${seed}${at % 97}`).join(' ');

test('each of several conversations finds all of its last prompt in its slot', async (context) => {
  context.skip(path === undefined, missing);
  const args = ['--alias', 'test', '--cache-ram', '0'];
  const server = await startLlamaServer({ model: modelFile(), slots: 3, contextTokens: 12_288, args });
  context.onTestFinished(() => server.stop());
  await using router = await startRouter({
    backends: { one: { url: server.url } },
    affinity: { prefix: { nameSlots: true } },
  });
  await router.ready();
  const conversations = ['ann', 'bob', 'cay'].map((user) => ({
    user,
    messages: [{ role: 'system', content: words(200, 'rule') }],
    promptTokens: 0,
  }));
  for (let turn = 0; turn < 3; turn += 1) {
    // Not always in the same order, which is what a server that takes the oldest slot would get right, too.
    for (const conversation of turn % 2 === 0 ? conversations : conversations.toReversed()) {
      const { user, messages, promptTokens } = conversation;
      messages.push({ role: 'user', content: words(40, `${user}${turn}-`) });
      const answer = await chat(router.url, { model: 'test', max_tokens: 4, messages }).answer;
      expect(answer.status, answer.body.toString()).toBe(200);
      const { choices, timings } = answer.json() as unknown as {
        choices: readonly { message: { content: string | null } }[];
        timings: Timings;
      };
      // Its template may end a prompt with a few tokens that the next one does not have.
      expect(timings.cache_n).toBeGreaterThanOrEqual(promptTokens * 0.95);
      conversation.promptTokens = timings.cache_n + timings.prompt_n;
      messages.push({ role: 'assistant', content: choices[0]?.message.content ?? '' });
    }
  }
});
