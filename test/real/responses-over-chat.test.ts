/** The official client's Responses API over a real llama-server that is only asked for chat completions. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openaiChat } from '../../src/dialects/openai-chat/index.ts';
import {
  continueConversation,
  keptResponse,
  wantsToBeKept,
} from '../../src/dialects/openai-responses/conversation.ts';
import { openaiResponses } from '../../src/dialects/openai-responses/index.ts';
import type { JsonObject } from '../../src/dialects/ir/request.ts';
import { AnswerFold, isEngineError } from '../../src/dialects/ir/whole-answer.ts';
import { Responses } from '../../src/store/responses.ts';
import { notingTarget, templateHabits } from '../dialects/habits.ts';
import { modelFile } from './gguf.ts';
import { realLlamaServer, startLlamaServer, type LlamaServer } from './llama-server.ts';

const { path, missing } = realLlamaServer();
const flow = 'alice';
const store = new Responses({
  path: undefined,
  rowsMax: 10,
  bytesMax: 1_000_000,
  ageMsMax: 60_000,
  nowEpochMs: () => Date.now(),
  onLost: (error) => {
    throw error;
  },
});

let chat: LlamaServer;
let thinker: LlamaServer;
let translator: Server;
let client: OpenAI;
let requests = 0;
let dropped: readonly string[] = [];

beforeAll(async () => {
  if (path === undefined) return;
  [chat, thinker] = await Promise.all([
    startLlamaServer({ model: modelFile(), slots: 1 }),
    startLlamaServer({ model: modelFile({ template: 'think' }), slots: 1 }),
  ]);
  translator = createServer((request, response) => void translate(request, response));
  await new Promise<void>((resolve) => {
    translator.listen(0, '127.0.0.1', resolve);
  });
  const { port } = translator.address() as AddressInfo;
  client = new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey: 'k', maxRetries: 0 });
}, 120_000);

afterAll(async () => {
  translator?.close();
  store.close();
  await Promise.all([chat?.stop(), thinker?.stop()]);
});

/** What a router does between a client and an engine, without its queue. */
async function translate(asked: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = JSON.parse(Buffer.concat(await asked.toArray()).toString()) as JsonObject;
  const continued = continueConversation(body, (id) => store.get({ flow, id }));
  response.setHeader('content-type', 'application/json');
  if ('error' in continued) {
    response.statusCode = continued.error.status ?? 400;
    response.end(JSON.stringify(openaiResponses.writeError(continued.error, response.statusCode)));
    return;
  }
  const request = openaiResponses.readRequest(continued.request);
  requests += 1;
  const nowMs = () => Date.now();
  const context = { request, model: request.model, requestId: `r-${requests}`, arrivedMs: nowMs(), nowMs };
  const target = notingTarget(templateHabits);
  const engine = await fetch(`${request.model === 'thinker' ? thinker.url : chat.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ ...openaiChat.writeRequest(request, target), temperature: 0, seed: 1 }),
  });
  dropped = target.dropped;
  if (!engine.ok) {
    const error = openaiResponses.writeError(
      openaiChat.readError(engine.status, await engine.text()),
      engine.status,
    );
    response.statusCode = engine.status;
    response.end(JSON.stringify(error));
    return;
  }
  const fold = new AnswerFold();
  if (request.stream) {
    const writer = openaiResponses.createStreamWriter(context);
    response.setHeader('content-type', openaiResponses.streamType);
    const reader = openaiChat.createStreamReader((event) => {
      fold.add(event);
      response.write(writer.write(event));
    });
    for await (const chunk of engine.body ?? []) reader.push(Buffer.from(chunk as Uint8Array));
    reader.end();
  } else openaiChat.readAnswer((await engine.json()) as JsonObject, (event) => fold.add(event));
  const answer = fold.finish();
  if (isEngineError(answer)) throw new Error(answer.message);
  const whole = openaiResponses.writeAnswer(answer, context);
  if (wantsToBeKept(body)) {
    store.put({ flow, id: String(whole['id']) }, keptResponse(continued.request, whole));
  }
  response.end(request.stream ? undefined : JSON.stringify(whole));
}

const weather: OpenAI.Responses.Tool = {
  type: 'function',
  name: 'get_weather',
  description: 'The weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  strict: false,
};
const patch: OpenAI.Responses.Tool = { type: 'custom', name: 'apply_patch', description: 'Changes files' };

describe('the Responses API over chat completions', () => {
  test('streams what it gives as a whole', async (context) => {
    context.skip(path === undefined, missing);
    const body = { model: 'chat', input: 'tell me of the river', max_output_tokens: 12 };
    const whole = await client.responses.create(body);
    const streamed = await client.responses.stream(body).finalResponse();
    expect(whole.output_text).not.toBe('');
    expect(streamed.output_text).toBe(whole.output_text);
    expect(streamed).toMatchObject({ status: whole.status, incomplete_details: whole.incomplete_details });
    expect(streamed.usage?.output_tokens).toBe(whole.usage?.output_tokens);
  });

  test('a loop with a function, streamed', async (context) => {
    context.skip(path === undefined, missing);
    const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'weather?' }];
    const tools = [weather, { type: 'web_search' } as const];
    const turn = { model: 'chat', tools, store: false } as const;
    const first = await client.responses.stream({ ...turn, input, tool_choice: 'required' }).finalResponse();
    expect(dropped).toContain('tools[].web_search');
    const call = first.output.find((item) => item.type === 'function_call');
    expect(call?.name).toBe('get_weather');
    expect(JSON.parse(call?.arguments ?? '')).toEqual({ city: expect.any(String) as string });
    input.push(...(first.output as OpenAI.Responses.ResponseInput));
    input.push({ type: 'function_call_output', call_id: call?.call_id ?? '', output: 'sun' });
    const second = await client.responses.stream({ ...turn, input, max_output_tokens: 8 }).finalResponse();
    expect(second.usage?.input_tokens).toBeGreaterThan(first.usage?.input_tokens ?? Number.POSITIVE_INFINITY);
  });

  test('a loop with a custom tool, streamed', async (context) => {
    context.skip(path === undefined, missing);
    const stream = client.responses.stream({
      model: 'chat',
      tools: [patch],
      input: 'change it',
      tool_choice: 'required',
    });
    let streamed = '';
    for await (const event of stream) {
      if (event.type === 'response.custom_tool_call_input.delta') streamed += event.delta;
    }
    const first = await stream.finalResponse();
    const call = first.output.find((item) => item.type === 'custom_tool_call');
    expect(call).toMatchObject({ name: 'apply_patch', input: streamed });
    const second = await client.responses.create({
      model: 'chat',
      tools: [patch],
      previous_response_id: first.id,
      input: [{ type: 'custom_tool_call_output', call_id: call?.call_id ?? '', output: 'done' }],
      max_output_tokens: 8,
    });
    expect(second).toMatchObject({ previous_response_id: first.id });
    expect(second.usage?.input_tokens).toBeGreaterThan(first.usage?.input_tokens ?? Number.POSITIVE_INFINITY);
  });

  test('thoughts, as they are and as a summary', async (context) => {
    context.skip(path === undefined, missing);
    const body = { model: 'thinker', input: 'weather?' };
    const plain = await client.responses.stream(body).finalResponse();
    const summed = await client.responses.stream({ ...body, reasoning: { summary: 'auto' } }).finalResponse();
    const [thought, summary] = [plain.output[0], summed.output[0]];
    if (thought?.type !== 'reasoning' || summary?.type !== 'reasoning') throw new Error('no thoughts');
    expect(thought.content?.[0]?.text).not.toBe('');
    expect(summary.summary).toEqual([{ type: 'summary_text', text: thought.content?.[0]?.text }]);
    expect(summed.output_text).toBe(plain.output_text);
  });

  test('a conversation that is kept, and one that is not', async (context) => {
    context.skip(path === undefined, missing);
    const body = { model: 'chat', max_output_tokens: 8 };
    const first = await client.responses.create({ ...body, input: 'one', instructions: 'be brief' });
    const second = await client.responses.create({ ...body, input: 'two', previous_response_id: first.id });
    expect(store.get({ flow, id: second.id })?.input.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'user',
    ]);
    const secret = await client.responses.create({ ...body, input: 'three', store: false });
    await expect(
      client.responses.create({ ...body, input: 'four', previous_response_id: secret.id }),
    ).rejects.toMatchObject({
      status: 400,
      code: 'previous_response_not_found',
      param: 'previous_response_id',
    });
  });

  test('a prompt that is too long', async (context) => {
    context.skip(path === undefined, missing);
    await expect(
      client.responses.create({ model: 'chat', input: 'word '.repeat(9000) }),
    ).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    });
  });
});

test('llama-server takes a written conversation on its own Responses API', async (context) => {
  context.skip(path === undefined, missing);
  const request = openaiResponses.readRequest({
    model: 'chat',
    instructions: 'be brief',
    input: [
      { role: 'user', content: 'weather?' },
      { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'hm' }] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'let me see' }] },
      { type: 'function_call', call_id: 'c1', name: 'get_weather', arguments: '{"city":"Oslo"}' },
      { type: 'function_call_output', call_id: 'c1', output: 'sun' },
      { role: 'user', content: [{ type: 'input_text', text: 'and?' }] },
    ],
    tools: [weather],
    max_output_tokens: 8,
  });
  const answer = await fetch(`${chat.url}/v1/responses`, {
    method: 'POST',
    body: JSON.stringify(openaiResponses.writeRequest(request, notingTarget())),
  });
  expect(answer.status).toBe(200);
  const fold = new AnswerFold();
  openaiResponses.readAnswer((await answer.json()) as JsonObject, (event) => fold.add(event));
  expect(fold.finish()).toMatchObject({
    choices: [{ parts: [{ kind: 'text' }] }],
    usage: { outputTokens: 8 },
  });
});
