/** Answers that are given again to questions which mean the same, and those that must not be. */
import { afterEach, describe, expect, test } from 'vitest';
import { say } from '../fake-engine/panel-engine.ts';
import {
  startScriptedEngine,
  type ScriptedEngine,
  type ScriptedRequest,
} from '../fake-engine/scripted-engine.ts';
import { contentOf, told } from './cached-router.ts';
import { ask } from './client.ts';
import { startRouter, type TestRouter } from './start-router.ts';

const closing: (() => PromiseLike<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface SetUp {
  readonly engine: ScriptedEngine;
  readonly router: TestRouter;
  /** How often an engine was asked for an answer. */
  readonly answers: () => number;
}

/** Texts are as alike as the words that they share. */
const words = ['sky', 'blue', 'why', 'grass', 'tell', 'ada', 'turing'];
const vectorOf = (text: string): number[] =>
  words.map((word) => (text.toLowerCase().includes(word) ? 1 : 0.01));

function embed({ body }: ScriptedRequest): object {
  const data = (body['input'] as string[]).map((text, index) => ({ index, embedding: vectorOf(text) }));
  return { object: 'list', model: 'm', data: data.toReversed() };
}

async function setUp(cache: object = {}, wordsOf?: (index: number) => string): Promise<SetUp> {
  let answers = 0;
  const engine = await startScriptedEngine({
    answer(request) {
      if (request.path === '/v1/embeddings') return { body: embed(request) };
      if (request.path !== '/v1/chat/completions') return { status: 404, body: {} };
      answers += 1;
      return say(request, wordsOf?.(answers) ?? `answer ${answers}`);
    },
  });
  closing.push(() => engine.close());
  const router = await startRouter({
    backends: { one: { url: engine.url, engine: 'openai', slots: 4 } },
    cache: { enabled: true, semantic: { embeddings: 'm', threshold: 0.9 }, ...cache },
  });
  closing.push(() => router[Symbol.asyncDispose]());
  await router.ready();
  return { engine, router, answers: () => answers };
}

interface Turns {
  readonly system?: string;
  readonly before?: readonly { readonly role: string; readonly content: string }[];
  readonly more?: object;
}

function chat(
  router: TestRouter,
  question: string,
  { system = 'Be short.', before = [], more = {} }: Turns = {},
) {
  const messages = [{ role: 'system', content: system }, ...before, { role: 'user', content: question }];
  const body = { model: 'm', messages, nomyo: { cache: true }, ...more };
  return ask(`${router.url}/v1/chat/completions`, { body }).answer;
}

describe('the cache of answers, by meaning', () => {
  test('gives the answer to a similar question, and says how similar', async () => {
    const { router, answers } = await setUp();
    await chat(router, 'Why is the sky blue?');
    const other = await chat(router, 'The sky: why is it blue, please?');
    expect([told(other), contentOf(other)]).toEqual(['semantic', 'answer 1']);
    expect(Number(other.headers['x-llamero-cache-similarity'])).toBeGreaterThan(0.9);
    const streamed = await chat(router, 'Blue is the sky. Why?', { more: { stream: true } });
    expect(told(streamed)).toBe('semantic');
    expect(streamed.body.toString()).toContain('answer 1');
    expect(answers()).toBe(1);
  });

  test('looks for the same question first', async () => {
    const { engine, router } = await setUp();
    await chat(router, 'Why is the sky blue?');
    const asked = engine.asked.length;
    expect(told(await chat(router, 'Why is the sky blue?'))).toBe('hit');
    expect(engine.asked).toHaveLength(asked);
  });

  test('does not answer a question that is too different', async () => {
    const { router } = await setUp();
    await chat(router, 'Why is the sky blue?');
    const other = await chat(router, 'Why is the grass green?');
    expect([told(other), contentOf(other)]).toEqual(['miss', 'answer 2']);
  });

  test.each<[string, Turns]>([
    ['system prompt', { system: 'Be long.' }],
    ['sampling', { more: { temperature: 0.3 } }],
    ['tools', { more: { tools: [{ type: 'function', function: { name: 'f' } }] } }],
    [
      'turns before',
      {
        before: [
          { role: 'user', content: 'hi' },
          { role: 'assistant', content: 'ho' },
        ],
      },
    ],
  ])('does not give an answer to a request with other %s', async (_what, turns) => {
    const { router } = await setUp();
    await chat(router, 'Why is the sky blue?');
    expect(told(await chat(router, 'The sky: why is it blue?', turns))).toBe('miss');
  });

  test('compares what was said before, where that has a weight', async () => {
    const { router } = await setUp({ semantic: { embeddings: 'm', threshold: 0.9, historyWeight: 0.5 } });
    const about = (content: string): Turns => ({
      before: [
        { role: 'user', content },
        { role: 'assistant', content: 'Yes?' },
      ],
    });
    await chat(router, 'Tell me why.', about('The sky is blue.'));
    expect(told(await chat(router, 'Why? Tell!', about('Blue is the sky!')))).toBe('semantic');
    expect(told(await chat(router, 'Why? Tell!', about('Grass.')))).toBe('miss');
  });

  test('goes on without vectors when they cannot be had', async () => {
    const { router } = await setUp({ semantic: { embeddings: 'nobody-has-it' } });
    expect(told(await chat(router, 'Why is the sky blue?'))).toBe('miss');
    expect(told(await chat(router, 'Why is the sky blue?'))).toBe('hit');
  });

  test('accounts for the vectors, and shows them as requests of the router', async () => {
    const { router } = await setUp();
    await chat(router, 'Why is the sky blue?');
    const page = (await ask(`${router.url}/metrics`).answer).body.toString();
    expect(page).toMatch(/llamero_inner_requests_total\{[^}]*purpose="embedding"[^}]*\} 1/);
    expect(page).toMatch(/llamero_cache_requests_total\{result="miss"\} 1/);
    expect(page).toMatch(/llamero_cache_entries 1/);
  });
});

describe('an answer about a person', () => {
  const personal = 'Write to ada.turing@example.com about it.';

  test('is kept for nobody where everybody would get it', async () => {
    const { router } = await setUp({ share: 'all' }, () => personal);
    for (let time = 0; time < 2; time += 1) {
      expect(told(await chat(router, 'Tell me about Ada.'))).toBe('miss');
    }
  });

  test('is given to the same question alone', async () => {
    const { router } = await setUp({}, () => personal);
    await chat(router, 'Tell me about Ada.');
    expect(told(await chat(router, 'About Ada tell me!'))).toBe('miss');
    expect(told(await chat(router, 'Tell me about Ada.'))).toBe('hit');
  });

  test('is given to the same question where its system prompt says who asks', async () => {
    const { router } = await setUp({ share: 'all' }, () => 'You are called Turing.');
    const turns = { system: '[Tags: identity] The name is Turing' };
    await chat(router, 'Tell me who I am.', turns);
    expect(told(await chat(router, 'Who am I? Tell me.', turns))).toBe('miss');
    expect(told(await chat(router, 'Tell me who I am.', turns))).toBe('hit');
  });
});
