import { describe, expect, test } from 'vitest';
import { dialects } from '../../dialects/index.ts';
import type { DialectName } from '../../dialects/dialect.ts';
import type { ChatRequest, JsonObject } from '../../dialects/ir/request.ts';
import type { AnswerPart, WholeAnswer } from '../../dialects/ir/whole-answer.ts';
import {
  answerRequest,
  critiqueRequest,
  finalRequest,
  lastQuestion,
  textOf,
  toConversation,
  wordsOf,
} from './inner-requests.ts';

const read = (dialect: DialectName, body: JsonObject) =>
  toConversation(dialects[dialect].readRequest({ model: 'panel', ...body }));
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } };
const user = (content: unknown) => ({ role: 'user', content });

function chat(body: JsonObject): ChatRequest {
  const request = read('openai-chat', body);
  if (request === undefined) throw new Error('no conversation');
  return request;
}

describe('a text to go on with', () => {
  test.each<[DialectName, JsonObject]>([
    ['openai-completions', { prompt: 'The sky is' }],
    ['ollama-generate', { prompt: 'The sky is' }],
  ])('of %s is what a user says', (dialect, body) => {
    expect(read(dialect, body)?.messages).toMatchObject([{ role: 'user', parts: [{ text: 'The sky is' }] }]);
  });

  test('keeps its instructions, its pictures and the options of its engine', () => {
    const request = read('ollama-generate', {
      prompt: 'What is this?',
      system: 'Be short.',
      images: ['AA=='],
      options: { num_ctx: 2048, num_gpu: 1 },
      keep_alive: '1h',
      template: '{{ .Prompt }}',
    });
    expect(request).toMatchObject({
      dialect: 'ollama-chat',
      keepAlive: '1h',
      contextTokens: 2048,
      own: { options: { num_gpu: 1 } },
      messages: [{ role: 'system' }, { role: 'user', parts: [{ kind: 'text' }, { kind: 'image' }] }],
    });
    expect(request?.own).not.toHaveProperty('template');
  });

  test.each<[DialectName, JsonObject]>([
    ['openai-completions', { prompt: ['a', 'b'] }],
    ['openai-completions', { prompt: [1, 2] }],
    ['openai-completions', { prompt: 'a', suffix: 'b' }],
    ['openai-completions', { prompt: 'a', echo: true }],
    ['ollama-generate', { prompt: 'a', raw: true }],
    ['ollama-generate', { prompt: 'a', suffix: 'b' }],
  ])('of %s is none that a conversation stands for: %j', (dialect, body) => {
    expect(read(dialect, body)).toBeUndefined();
  });
});

describe('the question of a conversation', () => {
  test('is what the user said last, whatever came after it', () => {
    const request = chat({
      messages: [
        user('one'),
        { role: 'assistant', content: 'x' },
        user('two'),
        { role: 'assistant', content: 'y' },
      ],
    });
    const question = lastQuestion(request);
    expect(question === undefined ? undefined : textOf(question)).toBe('two');
  });

  test('is none where no user said anything', () => {
    expect(lastQuestion(chat({ messages: [{ role: 'system', content: 'x' }] }))).toBeUndefined();
  });
});

describe('the request for an answer', () => {
  const asked = {
    messages: [user('Why?')],
    tools: [],
    max_tokens: 9,
    top_p: 0.5,
    temperature: 0,
    stream: true,
  };

  test('is what was asked, once and not streamed, with other dice', () => {
    const request = answerRequest(chat({ ...asked, n: 4, logprobs: true, top_logprobs: 2 }), {
      model: 'm',
      temperature: 1,
      index: 1,
    });
    expect(request).toMatchObject({ model: 'm', stream: false, messages: chat(asked).messages });
    expect(request.sampling).toEqual({ maxTokens: 9, topP: 0.5, temperature: 1 });
  });

  test('has a seed of its own where the client has one', () => {
    const seedOf = (index: number) =>
      answerRequest(chat({ ...asked, seed: 5 }), { model: 'm', temperature: 1, index }).sampling.seed;
    expect([0, 1, 2].map(seedOf)).toEqual([5, 6, 7]);
  });
});

test('the request for a critique is one message with the pictures of the question, and has no tools and no format', () => {
  const tool = { type: 'function', function: { name: 'look' } };
  const request = critiqueRequest(
    chat({
      messages: [{ role: 'system', content: 'x' }, user([{ type: 'text', text: 'What is this?' }, image])],
      tools: [tool],
      tool_choice: 'required',
      parallel_tool_calls: false,
      response_format: { type: 'json_object' },
      max_tokens: 9,
    }),
    { model: 'critic', prompt: 'Review.' },
  );
  expect(request.messages).toMatchObject([
    { role: 'user', parts: [{ kind: 'text', text: 'Review.' }, { kind: 'image' }] },
  ]);
  expect(request).toMatchObject({ model: 'critic', stream: false, sampling: { maxTokens: 9 } });
  for (const member of ['tools', 'toolChoice', 'parallelToolCalls', 'format']) {
    expect(request).not.toHaveProperty(member);
  }
});

describe('the request for the final answer', () => {
  test('has the note behind what the user said last', () => {
    const request = finalRequest(
      chat({ messages: [user('one'), user([{ type: 'text', text: 'two' }, image])] }),
      {
        model: 'judge',
        note: 'NOTE',
      },
    );
    expect(request.model).toBe('judge');
    expect(request.messages).toMatchObject([
      { role: 'user', parts: [{ text: 'one' }] },
      { role: 'user', parts: [{ text: 'two' }, { kind: 'image' }, { text: '\n\nNOTE' }] },
    ]);
  });

  test('has it in a message of its own where somebody else spoke last', () => {
    const messages = [user('one'), { role: 'assistant', content: 'x' }];
    expect(finalRequest(chat({ messages }), { model: 'judge', note: 'NOTE' }).messages).toMatchObject([
      { role: 'user' },
      { role: 'assistant' },
      { role: 'user', parts: [{ text: 'NOTE' }] },
    ]);
  });
});

describe('the words of an answer', () => {
  const answerOf = (...parts: AnswerPart[]) =>
    ({
      choices: [{ index: 0, parts, reason: { kind: 'stop' }, logprobs: undefined }],
    }) as unknown as WholeAnswer;

  test('are its text without its thoughts', () => {
    const whole = answerOf({ kind: 'reasoning', text: 'hm' }, { kind: 'text', text: ' It is. ' });
    expect(wordsOf(whole)).toBe('It is.');
  });

  test('name the tools that it calls', () => {
    const whole = answerOf(
      { kind: 'text', text: 'Let me see.' },
      { kind: 'toolCall', id: 'c', name: 'look', arguments: '{"at":1}' },
    );
    expect(wordsOf(whole)).toBe('Let me see.\n[calls the tool look with {"at":1}]');
  });

  test('are none where it says nothing', () => {
    expect(wordsOf(answerOf({ kind: 'reasoning', text: 'hm' }))).toBe('');
    expect(wordsOf({ choices: [] } as unknown as WholeAnswer)).toBe('');
  });
});
