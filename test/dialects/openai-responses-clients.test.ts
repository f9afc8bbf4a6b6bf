/** The official client and LangChain read what the writers write, and send what the reader reads. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AIMessageChunk, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { AnswerEvent } from '../../src/dialects/ir/answer.ts';
import type { ChatRequest, JsonObject } from '../../src/dialects/ir/request.ts';
import { AnswerFold, isEngineError } from '../../src/dialects/ir/whole-answer.ts';
import { openaiResponses } from '../../src/dialects/openai-responses/index.ts';

let server: Server;
let client: OpenAI;
let url: string;
/** What the engine answers next. */
let answer: readonly AnswerEvent[] = [];
let seen: ChatRequest | undefined;

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen = openaiResponses.readRequest(
        JSON.parse(Buffer.concat(chunks).toString()) as JsonObject,
      ) as ChatRequest;
      const context = { request: seen, model: seen.model, requestId: 'r1', arrivedMs: 0, nowMs: () => 5000 };
      if (seen.stream) {
        const writer = openaiResponses.createStreamWriter(context);
        response.setHeader('content-type', 'text/event-stream');
        response.end(answer.map((event) => writer.write(event)).join(''));
        return;
      }
      const fold = new AnswerFold();
      for (const event of answer) fold.add(event);
      const whole = fold.finish();
      response.setHeader('content-type', 'application/json');
      if (isEngineError(whole)) {
        response.statusCode = whole.status ?? 500;
        response.end(JSON.stringify(openaiResponses.writeError(whole, response.statusCode)));
      } else response.end(JSON.stringify(openaiResponses.writeAnswer(whole, context)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  client = new OpenAI({ baseURL: url, apiKey: 'k', maxRetries: 0 });
});

afterAll(() => {
  server.close();
});

const usage = { inputTokens: 5, outputTokens: 7, cachedTokens: 2, reasoningTokens: 3 };

function answerOf(...middle: readonly AnswerEvent[]): readonly AnswerEvent[] {
  return [{ kind: 'started' }, ...middle, { kind: 'usage', usage }, { kind: 'ended' }];
}

const text = (value: string): AnswerEvent => ({ kind: 'text', choice: 0, text: value });
const reasoning = (value: string): AnswerEvent => ({ kind: 'reasoning', choice: 0, text: value });
const toolCall = (call: number, name: string): AnswerEvent => ({
  kind: 'toolCall',
  choice: 0,
  call,
  id: `call_${call}`,
  name,
});
const args = (call: number, value: string): AnswerEvent => ({
  kind: 'toolArguments',
  choice: 0,
  call,
  text: value,
});
const finished = (kind: 'stop' | 'toolCalls' | 'length'): AnswerEvent => ({
  kind: 'finished',
  choice: 0,
  reason: { kind },
});

const full = answerOf(
  reasoning('h'),
  reasoning('m'),
  text('Hel'),
  text('lo'),
  { kind: 'refusal', choice: 0, text: 'no' },
  toolCall(0, 'get_weather'),
  args(0, '{"city":'),
  args(0, '"Oslo"}'),
  toolCall(1, 'apply_patch'),
  args(1, '{"input":"*** Beg'),
  args(1, 'in"}'),
  finished('toolCalls'),
);
const tools: OpenAI.Responses.Tool[] = [
  { type: 'function', name: 'get_weather', parameters: { type: 'object' }, strict: false },
  {
    type: 'custom',
    name: 'apply_patch',
    format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
  },
  { type: 'web_search' },
];

test.each([undefined, 'auto'] as const)(
  'openai: a stream adds up to the whole answer (summary: %s)',
  async (summary) => {
    answer = full;
    const body = { model: 'm', input: 'hi', tools, ...(summary !== undefined && { reasoning: { summary } }) };
    const stream = client.responses.stream(body);
    const deltas: string[] = [];
    stream.on('response.output_text.delta', ({ delta }) => deltas.push(delta));
    const streamed = await stream.finalResponse();
    const whole = await client.responses.create(body);
    expect(deltas).toEqual(['Hel', 'lo']);
    expect(streamed.output_text).toBe('Hello');
    expect(whole.output_text).toBe('Hello');
    expect(streamed.output.map(({ type }) => type)).toEqual([
      'reasoning',
      'message',
      'function_call',
      'custom_tool_call',
    ]);
    expect(streamed.output).toMatchObject(whole.output);
    expect(streamed).toMatchObject({ status: 'completed', usage: whole.usage });
    expect(whole.usage).toMatchObject({ input_tokens: 5, output_tokens: 7, total_tokens: 12 });
    expect(whole.output[3]).toMatchObject({ input: '*** Begin' });
  },
);

test('openai: what the helper gathers from the pieces is what the last event says', async () => {
  answer = full;
  const stream = await client.responses.create({ model: 'm', input: 'hi', tools, stream: true });
  const done: unknown[] = [];
  let last: OpenAI.Responses.Response | undefined;
  for await (const event of stream) {
    if (event.type === 'response.output_item.done') done.push(event.item);
    if (event.type === 'response.completed') last = event.response;
  }
  expect(done).toEqual(last?.output);
});

test('openai: parse reads the format and the arguments of strict tools', async () => {
  answer = answerOf(text('{"city":"Oslo"}'), finished('stop'));
  const format = zodTextFormat(z.object({ city: z.string() }), 'place');
  const parsed = await client.responses.parse({ model: 'm', input: 'hi', text: { format } });
  expect(parsed.output_parsed).toEqual({ city: 'Oslo' });
  expect(seen?.format).toMatchObject({ kind: 'schema', name: 'place', strict: true });
  const streamed = await client.responses
    .stream({ model: 'm', input: 'hi', text: { format } })
    .finalResponse();
  expect(streamed.output_parsed).toEqual({ city: 'Oslo' });
});

test('openai: a tool loop of two turns', async () => {
  answer = answerOf(
    reasoning('hm'),
    toolCall(0, 'get_weather'),
    args(0, '{"city":"Oslo"}'),
    finished('toolCalls'),
  );
  const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'weather?' }];
  const first = await client.responses.stream({ model: 'm', input, tools, store: false }).finalResponse();
  input.push(...(first.output as OpenAI.Responses.ResponseInput));
  const call = first.output.find((item) => item.type === 'function_call');
  expect(call).toMatchObject({ name: 'get_weather', parsed_arguments: null });
  input.push({ type: 'function_call_output', call_id: call?.call_id ?? '', output: 'sun' });
  answer = answerOf(text('It is sunny'), finished('stop'));
  const second = await client.responses.create({ model: 'm', input, tools, store: false });
  expect(second.output_text).toBe('It is sunny');
  expect(seen?.messages).toEqual([
    { role: 'user', parts: [{ kind: 'text', text: 'weather?' }] },
    {
      role: 'assistant',
      parts: [
        { kind: 'reasoning', text: 'hm' },
        { kind: 'toolCall', id: 'call_0', name: 'get_weather', arguments: '{"city":"Oslo"}' },
      ],
    },
    {
      role: 'tool',
      parts: [{ kind: 'toolResult', callId: 'call_0', parts: [{ kind: 'text', text: 'sun' }] }],
    },
  ]);
});

test('openai: a cut answer and a failed one', async () => {
  answer = answerOf(text('He'), finished('length'));
  const cut = await client.responses.stream({ model: 'm', input: 'hi' }).finalResponse();
  expect(cut).toMatchObject({
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    output_text: 'He',
  });

  const error = { message: 'too long', status: 400, overflow: { contextTokens: 10, promptTokens: 20 } };
  answer = [{ kind: 'started' }, text('He'), { kind: 'failed', error }];
  const failed = await client.responses.stream({ model: 'm', input: 'hi' }).finalResponse();
  expect(failed).toMatchObject({
    status: 'failed',
    error: { code: 'context_length_exceeded', message: 'too long' },
  });
  await expect(client.responses.create({ model: 'm', input: 'hi' })).rejects.toMatchObject({
    status: 400,
    code: 'context_length_exceeded',
  });
});

test('LangChain: a tool loop, streamed, with thoughts', async () => {
  const weather = tool(() => 'sun', {
    name: 'get_weather',
    description: 'd',
    schema: z.object({ city: z.string() }),
  });
  const model = new ChatOpenAI({
    model: 'm',
    apiKey: 'k',
    maxRetries: 0,
    useResponsesApi: true,
    // Its own option for this is heeded for OpenAI's models only.
    modelKwargs: { reasoning: { summary: 'auto' } },
    configuration: { baseURL: url },
  });
  const bound = model.bindTools([weather]);
  answer = answerOf(
    reasoning('hm'),
    text('Let me see'),
    toolCall(0, 'get_weather'),
    args(0, '{"city":"Oslo"}'),
    finished('toolCalls'),
  );
  let first: AIMessageChunk | undefined;
  const question = new HumanMessage('weather?');
  for await (const chunk of await bound.stream([question])) first = first?.concat(chunk) ?? chunk;
  expect(first?.text).toBe('Let me see');
  expect(first?.tool_calls).toMatchObject([{ name: 'get_weather', args: { city: 'Oslo' }, id: 'call_0' }]);
  expect(first?.usage_metadata).toMatchObject({ input_tokens: 5, output_tokens: 7 });
  expect(JSON.stringify(first?.additional_kwargs['reasoning'])).toContain('hm');

  answer = answerOf(text('It is sunny'), finished('stop'));
  const result = new ToolMessage({ content: 'sun', tool_call_id: 'call_0' });
  const second = await bound.invoke([question, first ?? new AIMessageChunk(''), result]);
  expect(second.text).toBe('It is sunny');
  expect(seen?.messages.map(({ role, parts }) => [role, parts.map(({ kind }) => kind)])).toEqual([
    ['user', ['text']],
    ['assistant', ['reasoning', 'text', 'toolCall']],
    ['tool', ['toolResult']],
  ]);
});
