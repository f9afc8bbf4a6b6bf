/** The Messages dialect and a real llama-server: as an engine that speaks it, and as one that is asked in chat completions. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anthropicMessages } from '../../src/dialects/anthropic-messages/index.ts';
import type { AnswerContext, Dialect } from '../../src/dialects/dialect.ts';
import type { AnswerEvent } from '../../src/dialects/ir/answer.ts';
import type { JsonObject, ModelRequest } from '../../src/dialects/ir/request.ts';
import { AnswerFold, isEngineError } from '../../src/dialects/ir/whole-answer.ts';
import type { WholeAnswer } from '../../src/dialects/ir/whole-answer.ts';
import { openaiChat } from '../../src/dialects/openai-chat/index.ts';
import { notingTarget } from '../dialects/habits.ts';
import { modelFile } from './gguf.ts';
import { realLlamaServer, startLlamaServer } from './llama-server.ts';
import type { LlamaServer } from './llama-server.ts';

const { path, missing } = realLlamaServer();

/** One that thinks, and one that calls tools. */
const engines: LlamaServer[] = [];
beforeAll(async () => {
  if (path === undefined) return;
  for (const template of ['think', 'chat'] as const) {
    engines.push(await startLlamaServer({ model: modelFile({ template }) }));
  }
});
afterAll(() => Promise.all(engines.map((engine) => engine.stop())));

const paths = { 'openai-chat': '/v1/chat/completions', 'anthropic-messages': '/v1/messages' };
const tool = {
  name: 'read_file',
  description: 'Reads a file',
  input_schema: { type: 'object' as const, properties: { path: { type: 'string' } }, required: ['path'] },
};
const asked = {
  model: 'tiny',
  max_tokens: 40,
  temperature: 0,
  messages: [{ role: 'user' as const, content: 'the river runs' }],
};

/** Asks the engine in a dialect of its own and gives the events of its answer, or the error that it answered with. */
async function askEngine(
  dialect: Dialect,
  request: ModelRequest,
  engine = engines[0],
): Promise<readonly AnswerEvent[]> {
  const body = dialect.writeRequest(request, notingTarget());
  const route = paths[dialect.name as keyof typeof paths];
  const answer = await fetch(`${engine?.url}${route}`, { method: 'POST', body: JSON.stringify(body) });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const events: AnswerEvent[] = [];
  const onEvent = (event: AnswerEvent) => events.push(event);
  if (!answer.ok) return [{ kind: 'failed', error: dialect.readError(answer.status, bytes.toString()) }];
  if (!request.stream) dialect.readAnswer(JSON.parse(bytes.toString()) as JsonObject, onEvent);
  else {
    const reader = dialect.createStreamReader(onEvent);
    for (const byte of bytes) reader.push(Buffer.of(byte));
    reader.end();
  }
  return events;
}

function fold(events: readonly AnswerEvent[]) {
  const answer = new AnswerFold();
  for (const event of events) answer.add(event);
  return answer.finish();
}

/** The server makes up ids of calls as it goes. */
function withoutIds({ choices }: WholeAnswer) {
  return choices.map(({ parts, ...rest }) => ({
    ...rest,
    parts: parts.map((part) => (part.kind === 'toolCall' ? { ...part, id: '' } : part)),
  }));
}

describe('as an engine', () => {
  test('streams and whole answers say the same', async (context) => {
    context.skip(path === undefined, missing);
    const read = (members: JsonObject) => anthropicMessages.readRequest({ ...asked, ...members });
    const thinking = { thinking: { type: 'enabled', budget_tokens: 8 } };
    for (const [members, engine] of [
      [{}, 0],
      [thinking, 0],
      [{ tools: [tool] }, 1],
    ] as const) {
      const streaming = read({ ...members, stream: true });
      const streamed = fold(await askEngine(anthropicMessages, streaming, engines[engine]));
      const whole = fold(await askEngine(anthropicMessages, read(members), engines[engine]));
      if (isEngineError(streamed) || isEngineError(whole)) throw new Error('the engine refused');
      expect(withoutIds(streamed)).toEqual(withoutIds(whole));
      expect(streamed.choices[0]?.parts.length).toBeGreaterThan(0);
      expect(streamed.usage?.inputTokens).toBe(whole.usage?.inputTokens);
      expect(streamed.usage?.outputTokens).toBe(whole.usage?.outputTokens);
    }
  });

  test('takes a conversation with tools, thoughts and instructions in the middle', async (context) => {
    context.skip(path === undefined, missing);
    const request = anthropicMessages.readRequest({
      ...asked,
      system: 'be terse',
      tools: [tool],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
      messages: [
        ...asked.messages,
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'a file', signature: '' },
            { type: 'text', text: 'Well.' },
            { type: 'tool_use', id: 'toolu_1', name: 'read_file', input: { path: 'a' } },
          ],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'runs' }] },
        { role: 'system', content: 'be kind' },
      ],
    });
    for (const dialect of [anthropicMessages, openaiChat]) {
      expect((await askEngine(dialect, request)).at(-1)).toEqual({ kind: 'ended' });
    }
  });

  test('a prompt that is too long is an overflow with its numbers', async (context) => {
    context.skip(path === undefined, missing);
    const request = anthropicMessages.readRequest({
      ...asked,
      messages: [{ role: 'user', content: 'river '.repeat(6000) }],
    });
    for (const dialect of [anthropicMessages, openaiChat]) {
      const [failed] = await askEngine(dialect, request);
      expect(failed).toMatchObject({
        kind: 'failed',
        error: {
          status: 400,
          overflow: { contextTokens: expect.any(Number), promptTokens: expect.any(Number) },
        },
      });
      const error = failed?.kind === 'failed' ? failed.error : { message: '' };
      expect(JSON.stringify(anthropicMessages.writeError(error, 400))).toMatch(
        /"prompt is too long: \d+ tokens > \d+ maximum"/,
      );
    }
  });
});

describe('as an engine that only has chat completions', () => {
  /** The least that a gateway does. */
  const gateway = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      void (async () => {
        const request = anthropicMessages.readRequest(
          JSON.parse(Buffer.concat(chunks).toString()) as JsonObject,
        );
        const events = await askEngine(openaiChat, request, engines[1]);
        const context: AnswerContext = {
          request,
          model: request.model,
          requestId: 'r1',
          arrivedMs: 0,
          nowMs: () => 0,
        };
        if (request.stream) {
          outgoing.setHeader('content-type', 'text/event-stream');
          const writer = anthropicMessages.createStreamWriter(context);
          outgoing.end(events.map((event) => writer.write(event)).join(''));
          return;
        }
        const whole = fold(events);
        if (isEngineError(whole)) throw new Error(whole.message);
        outgoing.setHeader('content-type', 'application/json');
        outgoing.end(JSON.stringify(anthropicMessages.writeAnswer(whole, context)));
      })();
    });
  });
  afterAll(() => gateway.close());

  test("Anthropic's client goes through a loop of tools", async (context) => {
    context.skip(path === undefined, missing);
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
    const { port } = gateway.address() as AddressInfo;
    const client = new Anthropic({ baseURL: `http://127.0.0.1:${port}`, apiKey: 'none', maxRetries: 0 });
    const request = { ...asked, max_tokens: 200, tools: [tool], tool_choice: { type: 'any' as const } };
    const first = await client.messages.stream(request).finalMessage();
    const calls = first.content.filter((block) => block.type === 'tool_use');
    expect(first.usage.input_tokens + (first.usage.cache_read_input_tokens ?? 0)).toBeGreaterThan(10);
    expect(first.usage.output_tokens).toBeGreaterThan(0);
    expect(calls).not.toHaveLength(0);
    expect(first.stop_reason).toBe('tool_use');
    const second = await client.messages.create({
      ...request,
      messages: [
        ...request.messages,
        { role: 'assistant', content: first.content },
        {
          role: 'user',
          content: [
            ...calls.map(({ id }) => ({ type: 'tool_result' as const, tool_use_id: id, content: 'runs' })),
            { type: 'text' as const, text: 'and then' },
          ],
        },
      ],
    });
    expect(second).toMatchObject({ type: 'message', role: 'assistant' });
    expect(second.usage.input_tokens + (second.usage.cache_read_input_tokens ?? 0)).toBeGreaterThan(
      first.usage.input_tokens,
    );
  });
});
