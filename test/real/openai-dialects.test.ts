/** The dialects of chat and text completions and a real llama-server: what it takes, and that its streams say what its whole answers say. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/dialects/dialect.ts';
import type { AnswerEvent } from '../../src/dialects/ir/answer.ts';
import type { JsonObject } from '../../src/dialects/ir/request.ts';
import { AnswerFold, isEngineError } from '../../src/dialects/ir/whole-answer.ts';
import { openaiChat } from '../../src/dialects/openai-chat/index.ts';
import { openaiCompletions } from '../../src/dialects/openai-completions/index.ts';
import type { RepairName } from '../../src/dialects/repairs.ts';
import { llamacpp } from '../../src/engines/kinds/llamacpp.ts';
import { notingTarget } from '../dialects/habits.ts';
import { requestSamples as chatSamples } from '../dialects/samples/openai-chat.ts';
import { requestSamples as textSamples } from '../dialects/samples/openai-completions.ts';
import { modelFile } from './gguf.ts';
import { realLlamaServer, startLlamaServer } from './llama-server.ts';
import type { LlamaServer } from './llama-server.ts';

const { path: program, missing } = realLlamaServer();
const routes = { 'openai-chat': '/v1/chat/completions', 'openai-completions': '/v1/completions' };
const user = { role: 'user', content: 'the river runs' };
const steady = { model: 'tiny', temperature: 0, seed: 1, max_tokens: 12, cache_prompt: false };
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

describe('llama-server', () => {
  let plain: LlamaServer;
  let thinking: LlamaServer;

  beforeAll(async () => {
    if (program === undefined) return;
    [plain, thinking] = await Promise.all([
      startLlamaServer({ model: modelFile() }),
      startLlamaServer({ model: modelFile({ template: 'think' }) }),
    ]);
  });
  afterAll(async () => {
    if (program !== undefined) await Promise.all([plain.stop(), thinking.stop()]);
  });

  /** Asks as the router does: the client's request is read and written again for the engine. */
  async function ask(
    server: LlamaServer,
    dialect: Dialect,
    body: JsonObject,
  ): Promise<{ events: readonly AnswerEvent[]; repairs: readonly RepairName[]; dropped: readonly string[] }> {
    const target = notingTarget(llamacpp.habits);
    const written = dialect.writeRequest(dialect.readRequest(body), target);
    const route = routes[dialect.name as keyof typeof routes];
    const answer = await fetch(`${server.url}${route}`, { method: 'POST', body: JSON.stringify(written) });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const events: AnswerEvent[] = [];
    const repairs: RepairName[] = [];
    const onEvent = (event: AnswerEvent): number => events.push(event);
    const onRepair = (name: RepairName): number => repairs.push(name);
    if (!answer.ok) onEvent({ kind: 'failed', error: dialect.readError(answer.status, bytes.toString()) });
    else if (body['stream'] === true) {
      const reader = dialect.createStreamReader(onEvent, onRepair);
      for (const byte of bytes) reader.push(Buffer.of(byte));
      reader.end();
    } else dialect.readAnswer(JSON.parse(bytes.toString()) as JsonObject, onEvent, onRepair);
    return { events, repairs, dropped: target.dropped };
  }

  const cases: readonly (readonly [string, 'plain' | 'thinking', Dialect, JsonObject])[] = [
    ['text', 'plain', openaiChat, { messages: [user] }],
    [
      'tool calls',
      'plain',
      openaiChat,
      { messages: [user], tools: [weather], tool_choice: 'required', max_tokens: 60 },
    ],
    ['thoughts', 'thinking', openaiChat, { messages: [user], max_tokens: 60 }],
    ['no thoughts', 'thinking', openaiChat, { messages: [user], reasoning_effort: 'none' }],
    [
      'a short thought',
      'thinking',
      openaiChat,
      { messages: [user], thinking: { type: 'enabled', budget_tokens: 2 }, max_tokens: 60 },
    ],
    ['log probabilities', 'plain', openaiChat, { messages: [user], logprobs: true, top_logprobs: 2 }],
    ['two choices', 'plain', openaiChat, { messages: [user], n: 2 }],
    ['JSON', 'plain', openaiChat, { messages: [user], response_format: { type: 'json_object' } }],
    ['a text', 'plain', openaiCompletions, { prompt: 'the river' }],
    ['two texts', 'plain', openaiCompletions, { prompt: ['the river', 'a key'] }],
    ['log probabilities of a text', 'plain', openaiCompletions, { prompt: 'the river', logprobs: 2 }],
  ];

  test.for(cases)('says %s in a stream as it does without', async ([, which, dialect, members], context) => {
    context.skip(program === undefined, missing);
    const server = which === 'plain' ? plain : thinking;
    const [stream, whole] = await Promise.all(
      [true, false].map(async (isStream) => {
        const { events, repairs } = await ask(server, dialect, { ...steady, ...members, stream: isStream });
        expect(repairs).toEqual([]);
        const fold = new AnswerFold();
        for (const event of events) fold.add(event);
        const answer = fold.finish();
        if (isEngineError(answer)) throw new Error(answer.message);
        return answer;
      }),
    );
    // The server makes up ids of calls as it goes.
    const parts = (answer: typeof whole): unknown =>
      answer?.choices.map((choice) => ({
        ...choice,
        parts: choice.parts.map((part) => ({ ...part, id: '' })),
      }));
    expect(parts(stream)).toEqual(parts(whole));
    // Of several choices the server counts one, not always the same.
    if (whole === undefined || whole.choices.length > 1) return;
    expect(stream?.usage?.outputTokens).toBe(whole?.usage?.outputTokens);
    expect(stream?.usage?.inputTokens).toBe(whole?.usage?.inputTokens);
    expect(stream?.timings?.predictedTokens).toBe(whole?.timings?.predictedTokens);
  });

  test('takes a conversation of every kind of message', async (context) => {
    context.skip(program === undefined, missing);
    const call = {
      id: 'call_1',
      type: 'function',
      function: { name: 'get_weather', arguments: '{"city":"Oslo"}' },
    };
    const { events, dropped } = await ask(thinking, openaiChat, {
      ...steady,
      messages: [
        {
          role: 'system',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        { role: 'developer', content: 'c' },
        user,
        { role: 'assistant', content: null, reasoning_content: 'hm', tool_calls: [call] },
        { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'cold' }] },
        { role: 'assistant', content: null, refusal: 'no' },
        user,
      ],
      tools: [weather],
    });
    expect(events.at(-1)).toEqual({ kind: 'ended' });
    expect(dropped).toEqual([]);
  });

  /** What the server, or a model without eyes and ears, refuses. */
  const refused = [
    'messages[].content[].image_url (data)',
    'messages[].content[].image_url (URL)',
    'messages[].content[].image_url.detail',
    'messages[].content[].input_audio',
    'messages[].content[].file.file_id',
    'messages[].content[].file.file_data',
    'messages[].content[].video_url',
    'messages[].content[].image_url in a tool result',
  ];

  test.for([
    ...chatSamples.map(({ field, body }) => [field, openaiChat, body] as const),
    ...textSamples.map(({ field, body }) => [field, openaiCompletions, body] as const),
  ])('takes a sample of what clients send: %s', async ([field, dialect, body], context) => {
    context.skip(program === undefined, missing);
    const { events } = await ask(plain, dialect, { max_tokens: 2, ...body });
    const last = events.at(-1);
    if (refused.includes(field))
      expect(last).toMatchObject({ kind: 'failed', error: { message: expect.any(String) as string } });
    else expect(last).toEqual({ kind: 'ended' });
  });

  test('tells by how much a prompt is too long', async (context) => {
    context.skip(program === undefined, missing);
    const long = { role: 'user', content: 'the river runs '.repeat(3000) };
    const { events } = await ask(plain, openaiChat, { ...steady, messages: [long] });
    expect(events).toMatchObject([
      {
        kind: 'failed',
        error: { status: 400, overflow: { contextTokens: 4096, promptTokens: expect.any(Number) as number } },
      },
    ]);
  });
});
