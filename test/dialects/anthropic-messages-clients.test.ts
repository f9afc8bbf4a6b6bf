/** What official clients make of streams and answers that the Messages dialect writes. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAnthropic } from '@ai-sdk/anthropic';
import Anthropic from '@anthropic-ai/sdk';
import { ChatAnthropic } from '@langchain/anthropic';
import { jsonSchema, streamText, tool } from 'ai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anthropicMessages } from '../../src/dialects/anthropic-messages/index.ts';
import type { AnswerContext } from '../../src/dialects/dialect.ts';
import type { AnswerEvent } from '../../src/dialects/ir/answer.ts';
import { AnswerFold, isEngineError } from '../../src/dialects/ir/whole-answer.ts';

const look = { type: 'object' as const, properties: { at: { type: 'string' } } };

/** What an engine with chat completions may say: thoughts, text, two calls whose pieces are mixed, counts at the end. */
const answer: readonly AnswerEvent[] = [
  { kind: 'started', id: 'chatcmpl-1' },
  { kind: 'progress', done: 5, total: 20 },
  { kind: 'reasoning', choice: 0, text: 'Two pla' },
  { kind: 'reasoning', choice: 0, text: 'ces.' },
  { kind: 'text', choice: 0, text: 'Looking 🦙 ' },
  { kind: 'text', choice: 0, text: 'up.' },
  { kind: 'toolCall', choice: 0, call: 0, id: 'functions.look:0', name: 'look' },
  { kind: 'toolArguments', choice: 0, call: 0, text: '{"at":' },
  { kind: 'toolCall', choice: 0, call: 1, id: 'b', name: 'look' },
  { kind: 'toolArguments', choice: 0, call: 1, text: '{"at":"se' },
  { kind: 'toolArguments', choice: 0, call: 0, text: '"sky"}' },
  { kind: 'toolArguments', choice: 0, call: 1, text: 'a"}' },
  { kind: 'finished', choice: 0, reason: { kind: 'toolCalls' } },
  { kind: 'usage', usage: { inputTokens: 20, outputTokens: 9, cachedTokens: 15 } },
  { kind: 'ended' },
];

let events = answer;
let refusal: { readonly status: number; readonly body: unknown } | undefined;

const server = createServer((incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    if (refusal !== undefined) {
      outgoing
        .writeHead(refusal.status, { 'content-type': 'application/json' })
        .end(JSON.stringify(refusal.body));
      return;
    }
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    const request = anthropicMessages.readRequest(body);
    const context: AnswerContext = {
      request,
      model: request.model,
      requestId: 'req-1',
      arrivedMs: 0,
      nowMs: () => 0,
    };
    if (!request.stream) {
      const fold = new AnswerFold();
      for (const event of events) fold.add(event);
      const whole = fold.finish();
      if (isEngineError(whole)) throw new Error(whole.message);
      outgoing.setHeader('content-type', 'application/json');
      outgoing.end(JSON.stringify(anthropicMessages.writeAnswer(whole, context)));
      return;
    }
    outgoing.setHeader('content-type', 'text/event-stream');
    const writer = anthropicMessages.createStreamWriter(context);
    for (const event of events) outgoing.write(writer.write(event));
    outgoing.end();
  });
});

let url = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

async function meanwhile<Value>(
  change: { readonly events?: readonly AnswerEvent[]; readonly refusal?: typeof refusal },
  run: () => Promise<Value>,
): Promise<Value> {
  events = change.events ?? answer;
  refusal = change.refusal;
  try {
    return await run();
  } finally {
    events = answer;
    refusal = undefined;
  }
}

describe('@anthropic-ai/sdk', () => {
  const client = () => new Anthropic({ baseURL: url, apiKey: 'none', maxRetries: 0 });
  const asked = {
    model: 'tiny',
    max_tokens: 99,
    messages: [{ role: 'user' as const, content: 'Look!' }],
    tools: [{ name: 'look', input_schema: look }],
  };

  test('puts a stream together to what the whole answer is', async () => {
    const streamed = await client().messages.stream(asked).finalMessage();
    const whole = await client().messages.create(asked);
    expect(JSON.parse(JSON.stringify(streamed))).toEqual({ ...whole, parsed_output: null });
    expect(whole).toMatchObject({
      id: 'msg_req1',
      content: [
        { type: 'thinking', thinking: 'Two places.', signature: '' },
        { type: 'text', text: 'Looking 🦙 up.' },
        { type: 'tool_use', id: 'toolu_x_ZnVuY3Rpb25zLmxvb2s6MA', name: 'look', input: { at: 'sky' } },
        { type: 'tool_use', id: 'b', name: 'look', input: { at: 'sea' } },
      ],
      stop_reason: 'tool_use',
      usage: { input_tokens: 5, cache_read_input_tokens: 15, output_tokens: 9 },
    });
  });

  test('sends an answer back with results, and the calls have their own ids again', async () => {
    const { content } = await client().messages.stream(asked).finalMessage();
    const results = content.flatMap((block) =>
      block.type === 'tool_use'
        ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: 'blue' }]
        : [],
    );
    const request = anthropicMessages.readRequest({
      ...asked,
      messages: [
        ...asked.messages,
        JSON.parse(JSON.stringify({ role: 'assistant', content })) as object,
        { role: 'user', content: results },
      ],
    });
    const messages = request.kind === 'chat' ? request.messages : [];
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool']);
    expect(messages[1]?.parts).toMatchObject([
      { kind: 'reasoning', text: 'Two places.' },
      { kind: 'text' },
      { kind: 'toolCall', id: 'functions.look:0', arguments: '{"at":"sky"}' },
      { kind: 'toolCall', id: 'b' },
    ]);
    expect(messages[2]?.parts).toMatchObject([{ callId: 'functions.look:0' }]);
  });

  test('reports an error in the middle of a stream', async () => {
    const broken = [
      ...answer.slice(0, 5),
      { kind: 'failed' as const, error: { message: 'Dead', status: 500 } },
    ];
    await expect(
      meanwhile({ events: broken }, () => client().messages.stream(asked).finalMessage()),
    ).rejects.toMatchObject({ type: 'api_error', apiMessage: 'Dead' });
  });

  test('reports a prompt that is too long in the words of the service', async () => {
    const error = anthropicMessages.readError(
      400,
      '{"error":{"code":400,"message":"request (5953 tokens) exceeds the available context size (4096 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":5953,"n_ctx":4096}}',
    );
    await expect(
      meanwhile({ refusal: { status: 400, body: anthropicMessages.writeError(error, 400) } }, () =>
        client().messages.create(asked),
      ),
    ).rejects.toMatchObject({
      type: 'invalid_request_error',
      apiMessage: 'prompt is too long: 5953 tokens > 4096 maximum',
    });
  });

  test('takes an answer without any content', async () => {
    const empty: readonly AnswerEvent[] = [
      { kind: 'started' },
      { kind: 'finished', choice: 0, reason: { kind: 'length' } },
      { kind: 'ended' },
    ];
    const message = await meanwhile({ events: empty }, () => client().messages.stream(asked).finalMessage());
    expect(message).toMatchObject({ content: [], stop_reason: 'max_tokens' });
  });
});

test('the AI SDK reads text, thoughts, calls and counts', async () => {
  const provider = createAnthropic({ baseURL: `${url}/v1`, apiKey: 'none' });
  const result = streamText({
    model: provider('tiny'),
    prompt: 'Look!',
    tools: { look: tool({ inputSchema: jsonSchema(look) }) },
  });
  await result.consumeStream();
  expect(await result.text).toBe('Looking 🦙 up.');
  expect(await result.reasoningText).toBe('Two places.');
  expect(await result.toolCalls).toMatchObject([
    { input: { at: 'sky' } },
    { toolCallId: 'b', input: { at: 'sea' } },
  ]);
  expect(await result.finishReason).toBe('tool-calls');
  expect(await result.usage).toMatchObject({ inputTokens: 20, outputTokens: 9 });
});

test('LangChain reads text, calls and counts', async () => {
  const model = new ChatAnthropic({
    model: 'tiny',
    apiKey: 'none',
    anthropicApiUrl: url,
    maxRetries: 0,
    maxTokens: 99,
  });
  const bound = model.bindTools([{ name: 'look', description: 'Looks', input_schema: look }]);
  let all: Awaited<ReturnType<typeof bound.invoke>> | undefined;
  for await (const chunk of await bound.stream('Look!')) all = all === undefined ? chunk : all.concat(chunk);
  expect(all?.tool_calls).toMatchObject([{ args: { at: 'sky' } }, { id: 'b', args: { at: 'sea' } }]);
  expect(all?.usage_metadata).toMatchObject({ input_tokens: 20, output_tokens: 9 });
  expect((await bound.invoke('Look!')).tool_calls).toMatchObject([{ args: { at: 'sky' } }, { id: 'b' }]);
});
