import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryChatRequest } from '../../../test/dialects/arbitrary-request.ts';
import { fullHabits, notingTarget } from '../../../test/dialects/habits.ts';
import type { EngineHabits } from '../../domain/engine-habits.ts';
import type { ChatRequest, JsonObject, ModelRequest } from '../ir/request.ts';
import { readRequest } from './request.ts';
import { writeRequest } from './write-request.ts';

function read(members: JsonObject): ChatRequest {
  return readRequest({ model: 'm', input: 'hi', ...members });
}

function write(
  request: ModelRequest,
  changes: Partial<EngineHabits> = {},
): { body: JsonObject | undefined; dropped: readonly string[] } {
  const target = notingTarget({ ...fullHabits, ...changes });
  return { body: writeRequest(request, target), dropped: target.dropped };
}

const said = (text: string) => ({ kind: 'text', text }) as const;

describe('a request for an engine', () => {
  test('says again what it was read from', () => {
    const shape = {
      dialect: 'openai-responses',
      documentSources: ['base64', 'url', 'file'],
      reasoningProofs: ['encrypted'],
      resultMembers: [],
      messageNames: false,
      reasoning: ['effort', 'summary'],
      sampling: ['maxTokens', 'temperature', 'topP'],
      members: ['user', 'metadata', 'parallelToolCalls'],
      usageInStream: true,
    } as const;
    fc.assert(
      fc.property(arbitraryChatRequest(shape), (request) => {
        const { body, dropped } = write(request);
        const { mirrored: _, ...again } = readRequest(JSON.parse(JSON.stringify(body)) as JsonObject);
        expect(again).toEqual(normal(request));
        expect(dropped).toEqual([]);
      }),
    );
  });

  test('keeps the members of its own API', () => {
    const own = {
      max_tool_calls: 3,
      include: ['x'],
      'text.verbosity': 'low',
      'reasoning.mode': 'pro',
      tool_choice: { type: 'mcp' },
    };
    const { body, dropped } = write({
      ...read({ reasoning: { effort: 'low' } }),
      own: { ...own, 'tools[].async': true },
    });
    expect(body).toMatchObject({
      max_tool_calls: 3,
      include: ['x'],
      text: { verbosity: 'low' },
      reasoning: { effort: 'low', mode: 'pro' },
      tool_choice: { type: 'mcp' },
    });
    expect(dropped).toEqual(['tools[].async']);
  });

  test('names what it cannot say', () => {
    const request: ChatRequest = {
      ...read({}),
      dialect: 'anthropic-messages',
      own: { container: 'c' },
      keepAlive: '5m',
      contextTokens: 4096,
      reasoning: { enabled: true, budgetTokens: 100 },
      sampling: { topK: 3, seed: 1, choices: 2, stop: ['a'] },
      extra: { more: 1, truncation: 'auto' },
      tools: [{ kind: 'builtin', dialect: 'anthropic-messages', type: 'bash_20250124', value: {} }],
      messages: [
        { role: 'user', name: 'n', parts: [said('a')] },
        {
          role: 'assistant',
          parts: [
            { kind: 'reasoning', text: 'hm', signature: 's' },
            { kind: 'opaque', dialect: 'anthropic-messages', type: 'server_tool_use', value: {} },
            { kind: 'toolCall', id: '1', name: 'f', arguments: '{}' },
          ],
        },
        { role: 'tool', parts: [{ kind: 'toolResult', callId: '1', parts: [], isError: true }] },
      ],
    };
    const { body, dropped } = write(request, { takesMoreSamplers: false, unknownMembers: 'refused' });
    expect(dropped.toSorted()).toEqual(
      [
        'container',
        'keep_alive',
        'num_ctx',
        'reasoning.budget_tokens',
        'top_k',
        'seed',
        'n',
        'stop',
        'more',
        'truncation',
        'tools[].bash_20250124',
        'messages[].name',
        'messages[].content[].signature',
        'messages[].content[].server_tool_use',
        'messages[].content[].is_error',
      ].toSorted(),
    );
    expect(body).toEqual({
      model: 'm',
      input: [
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'a' }] },
        { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'hm' }] },
        { type: 'function_call', call_id: '1', name: 'f', arguments: '{}' },
        { type: 'function_call_output', call_id: '1', output: [] },
      ],
      store: false,
    });
  });

  test('of another API has tools that are not strict unless that was said', () => {
    const tools = [{ kind: 'function', name: 'f' }] as const;
    expect(write({ ...read({}), dialect: 'openai-chat', tools }).body?.['tools']).toEqual([
      { type: 'function', name: 'f', strict: false },
    ]);
    expect(write({ ...read({}), tools }).body?.['tools']).toEqual([{ type: 'function', name: 'f' }]);
  });

  test('may be a text to go on with, if that can be a message', () => {
    const text: ModelRequest = {
      kind: 'text',
      dialect: 'ollama-generate',
      model: 'm',
      stream: false,
      usageInStream: true,
      prompt: 'go on',
      system: 'be brief',
      raw: false,
      sampling: { topK: 3, repeatPenalty: 1.1 },
      own: {},
      extra: {},
    };
    expect(write(text).body).toEqual({
      model: 'm',
      instructions: 'be brief',
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'go on' }] }],
      top_k: 3,
      repeat_penalty: 1.1,
      store: false,
    });
    for (const changes of [
      { raw: true },
      { suffix: 'x' },
      { echo: true },
      { prompt: ['a', 'b'] },
      { prompt: [1] },
    ]) {
      expect(write({ ...text, ...changes }).body).toBeUndefined();
    }
  });
});

/** What the API has no other words for: images have a detail, schemas a name, no effort is no thinking. */
function normal(request: ChatRequest): ChatRequest {
  const withDetail = JSON.parse(JSON.stringify(request), (_key, value: unknown) => {
    const part = value as JsonObject | null;
    if (part?.['kind'] === 'image') return { detail: 'auto', ...part };
    if (part?.['kind'] === 'schema') return { name: 'response', ...part };
    return value;
  }) as ChatRequest;
  return withDetail;
}
