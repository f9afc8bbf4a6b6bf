/** What official clients make of the streams and answers that the OpenAI dialects write. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, jsonSchema, streamText, tool } from 'ai';
import type { ToolSet } from 'ai';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/dialects/dialect.ts';
import type { AnswerEvent } from '../../src/dialects/ir/answer.ts';
import type { JsonObject } from '../../src/dialects/ir/request.ts';
import { AnswerFold, isEngineError } from '../../src/dialects/ir/whole-answer.ts';
import { openaiChat } from '../../src/dialects/openai-chat/index.ts';
import { openaiCompletions } from '../../src/dialects/openai-completions/index.ts';
import { answerContext } from './answers.ts';

/** What the server answers, whole or as a stream. */
let events: readonly AnswerEvent[] = [];
let baseURL = '';

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const dialect = request.url === '/v1/completions' ? openaiCompletions : openaiChat;
    const body = JSON.parse(Buffer.concat(chunks).toString()) as JsonObject;
    const answer = answerOf(dialect, body);
    response.writeHead(answer.status, { 'content-type': answer.type });
    response.end(answer.text);
  });
});

function answerOf(dialect: Dialect, body: JsonObject): { status: number; type: string; text: string } {
  const request = dialect.readRequest(body);
  const context = answerContext(request);
  if (request.stream) {
    const writer = dialect.createStreamWriter(context);
    return {
      status: 200,
      type: dialect.streamType,
      text: events.map((event) => writer.write(event)).join(''),
    };
  }
  const fold = new AnswerFold();
  for (const event of events) fold.add(event);
  const whole = fold.finish();
  const isError = isEngineError(whole);
  const value = isError ? dialect.writeError(whole, 400) : dialect.writeAnswer(whole, context);
  return { status: isError ? 400 : 200, type: 'application/json', text: JSON.stringify(value) };
}

let client: OpenAI;
beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const usage: AnswerEvent = {
  kind: 'usage',
  usage: { inputTokens: 9, outputTokens: 5, cachedTokens: 4, reasoningTokens: 2 },
};
const tooled: readonly AnswerEvent[] = [
  { kind: 'started', id: 'chatcmpl-1' },
  { kind: 'reasoning', choice: 0, text: 'hm' },
  { kind: 'text', choice: 0, text: 'Let me ' },
  { kind: 'text', choice: 0, text: 'see 🦙' },
  { kind: 'toolCall', choice: 0, call: 0, id: 'call_a', name: 'look' },
  { kind: 'toolArguments', choice: 0, call: 0, text: '{"at":' },
  { kind: 'toolCall', choice: 0, call: 1, id: 'call_b', name: 'look' },
  { kind: 'toolArguments', choice: 0, call: 1, text: '{"at":"sea"}' },
  { kind: 'toolArguments', choice: 0, call: 0, text: '"sky"}' },
  { kind: 'finished', choice: 0, reason: { kind: 'toolCalls' } },
  usage,
  { kind: 'ended' },
];
const failing: readonly AnswerEvent[] = [
  { kind: 'started' },
  { kind: 'text', choice: 0, text: 'a' },
  { kind: 'failed', error: { message: 'out of memory', status: 500 } },
];
const messages = [{ role: 'user' as const, content: 'hi' }];
const calls = [
  { id: 'call_a', type: 'function', function: { name: 'look', arguments: '{"at":"sky"}' } },
  { id: 'call_b', type: 'function', function: { name: 'look', arguments: '{"at":"sea"}' } },
];

beforeEach(() => {
  events = tooled;
});

describe('the openai client', () => {
  test('puts a stream together', async () => {
    const stream = client.chat.completions.stream({
      model: 'm',
      messages,
      stream_options: { include_usage: true },
    });
    const answer = await stream.finalChatCompletion();
    const message = answer.choices[0]?.message;
    expect(message).toMatchObject({ role: 'assistant', content: 'Let me see 🦙' });
    expect(message?.tool_calls).toMatchObject(calls);
    expect(answer.choices[0]?.finish_reason).toBe('tool_calls');
    expect(answer.usage).toMatchObject({ prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 });
  });

  test('never sees a chunk without choices when it did not ask for usage', async () => {
    const stream = await client.chat.completions.create({ model: 'm', messages, stream: true });
    for await (const chunk of stream) expect(chunk.choices).toHaveLength(1);
  });

  test('reads a whole answer', async () => {
    const answer = await client.chat.completions.create({ model: 'm', messages });
    expect(answer.choices[0]).toMatchObject({
      message: { content: 'Let me see 🦙', refusal: null, reasoning_content: 'hm', tool_calls: calls },
      finish_reason: 'tool_calls',
    });
    expect(answer.usage?.completion_tokens_details?.reasoning_tokens).toBe(2);
  });

  test('throws the error of a stream that broke off', async () => {
    events = failing;
    const stream = client.chat.completions.stream({ model: 'm', messages });
    await expect(stream.finalChatCompletion()).rejects.toThrow('out of memory');
  });

  test('throws the error in place of an answer', async () => {
    events = failing;
    await expect(client.chat.completions.create({ model: 'm', messages })).rejects.toMatchObject({
      status: 400,
      type: 'invalid_request_error',
    });
  });

  test('puts log probabilities and several choices together', async () => {
    const logprobs = [
      { token: 'a', logprob: -0.5, bytes: [97], top: [{ token: 'b', logprob: -2, bytes: [98] }] },
    ];
    events = [
      { kind: 'started' },
      { kind: 'text', choice: 1, text: 'b' },
      { kind: 'text', choice: 0, text: 'a', logprobs },
      { kind: 'finished', choice: 0, reason: { kind: 'stop' } },
      { kind: 'finished', choice: 1, reason: { kind: 'length' } },
      { kind: 'ended' },
    ];
    const answer = await client.chat.completions
      .stream({ model: 'm', messages, n: 2, logprobs: true })
      .finalChatCompletion();
    expect(answer.choices.map(({ message, finish_reason }) => [message.content, finish_reason])).toEqual([
      ['a', 'stop'],
      ['b', 'length'],
    ]);
    expect(answer.choices[0]?.logprobs?.content).toEqual([
      { token: 'a', logprob: -0.5, bytes: [97], top_logprobs: [{ token: 'b', logprob: -2, bytes: [98] }] },
    ]);
  });

  test('reads text completions, streamed and whole', async () => {
    const whole = await client.completions.create({ model: 'm', prompt: 'a' });
    expect(whole.choices[0]).toMatchObject({ text: 'Let me see 🦙', finish_reason: 'stop' });
    const stream = await client.completions.create({ model: 'm', prompt: 'a', stream: true });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.text ?? '';
    expect(text).toBe('Let me see 🦙');
  });
});

describe('the AI SDK', () => {
  const inputSchema = jsonSchema<{ at: string }>({ type: 'object', properties: { at: { type: 'string' } } });
  // Without `execute` its type does not keep to exact optional members.
  const tools = { look: tool({ description: 'Looks', inputSchema }) } as unknown as ToolSet;
  const model = () => createOpenAICompatible({ name: 'llamero', baseURL, includeUsage: true })('m');

  test('puts a stream together', async () => {
    const result = streamText({ model: model(), prompt: 'hi', tools });
    expect(await result.text).toBe('Let me see 🦙');
    expect(await result.reasoningText).toBe('hm');
    expect((await result.toolCalls).map(({ toolCallId, input }) => [toolCallId, input])).toEqual([
      ['call_a', { at: 'sky' }],
      ['call_b', { at: 'sea' }],
    ]);
    expect(await result.finishReason).toBe('tool-calls');
    expect(await result.usage).toMatchObject({ inputTokens: 9, outputTokens: 5 });
  });

  test('reads a whole answer', async () => {
    const result = await generateText({ model: model(), prompt: 'hi', tools });
    expect(result).toMatchObject({ text: 'Let me see 🦙', reasoningText: 'hm', finishReason: 'tool-calls' });
    expect(result.toolCalls).toHaveLength(2);
  });
});

describe('LangChain', () => {
  const model = () =>
    new ChatOpenAI({ model: 'm', apiKey: 'none', maxRetries: 0, configuration: { baseURL } });

  test('puts a stream together', async () => {
    const chunks = [];
    for await (const chunk of await model().stream('hi')) chunks.push(chunk);
    const [first, ...rest] = chunks;
    const whole = rest.reduce((sum, chunk) => sum?.concat(chunk), first);
    expect(whole?.text).toBe('Let me see 🦙');
    expect(whole?.tool_calls?.map(({ id, name, args }) => [id, name, args])).toEqual([
      ['call_a', 'look', { at: 'sky' }],
      ['call_b', 'look', { at: 'sea' }],
    ]);
  });

  test('reads a whole answer', async () => {
    const answer = await model().invoke('hi');
    expect(answer.text).toBe('Let me see 🦙');
    expect(answer.usage_metadata).toMatchObject({ input_tokens: 9, output_tokens: 5 });
  });
});
