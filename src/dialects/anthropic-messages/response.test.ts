import { describe, expect, test } from 'vitest';
import type { AnswerContext } from '../dialect.ts';
import type { AnswerEvent, FinishReason } from '../ir/answer.ts';
import type { JsonObject } from '../ir/request.ts';
import type { WholeAnswer } from '../ir/whole-answer.ts';
import { AnswerFold, isEngineError } from '../ir/whole-answer.ts';
import { readCountRequest, writeCount } from './count-tokens.ts';
import { anthropicMessages } from './index.ts';

const asked = { model: 'tiny', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] };
const context: AnswerContext = {
  request: anthropicMessages.readRequest(asked),
  model: 'tiny',
  requestId: 'r/1',
  arrivedMs: 0,
  nowMs: () => 0,
};

function eventsOf(body: JsonObject): readonly AnswerEvent[] {
  const events: AnswerEvent[] = [];
  anthropicMessages.readAnswer(body, (event) => events.push(event));
  return events;
}

function fold(events: readonly AnswerEvent[]): WholeAnswer {
  const answer = new AnswerFold();
  for (const event of events) answer.add(event);
  const whole = answer.finish();
  if (isEngineError(whole)) throw new Error(whole.message);
  return whole;
}

const message = {
  id: 'msg_9',
  type: 'message',
  role: 'assistant',
  model: 'tiny',
  content: [
    { type: 'thinking', thinking: 'hm', signature: 'c2ln' },
    { type: 'redacted_thinking', data: 'eHg=' },
    { type: 'text', text: 'Sky' },
    { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 'sky' } },
    { type: 'tool_use', id: 'toolu_2', name: 'wait', input: {} },
  ],
  stop_reason: 'tool_use',
  stop_sequence: null,
  stop_details: null,
  container: null,
  usage: { input_tokens: 5, cache_creation_input_tokens: 1, cache_read_input_tokens: 2, output_tokens: 3 },
};

describe('whole answers', () => {
  test('a message is the same after reading and writing it', () => {
    expect(anthropicMessages.writeAnswer(fold(eventsOf(message)), context)).toEqual(message);
  });

  test("llama.cpp's answer", () => {
    const events = eventsOf({
      id: 'chatcmpl-1',
      type: 'message',
      role: 'assistant',
      content: [{ type: 'text', text: ' index used would' }],
      model: 'tiny',
      stop_reason: 'end_turn',
      stop_sequence: ' w',
      usage: { cache_read_input_tokens: 4, input_tokens: 17, output_tokens: 3 },
    });
    expect(events).toEqual([
      { kind: 'started', id: 'chatcmpl-1', model: 'tiny' },
      { kind: 'text', choice: 0, text: ' index used would' },
      { kind: 'finished', choice: 0, reason: { kind: 'stop', stopText: ' w' } },
      { kind: 'usage', usage: { inputTokens: 21, outputTokens: 3, cachedTokens: 4 } },
      { kind: 'ended' },
    ]);
    expect(anthropicMessages.writeAnswer(fold(events), context)).toMatchObject({
      id: 'msg_r1',
      stop_reason: 'stop_sequence',
      stop_sequence: ' w',
    });
  });

  test.each<[FinishReason, string]>([
    [{ kind: 'stop' }, 'end_turn'],
    [{ kind: 'length' }, 'max_tokens'],
    [{ kind: 'toolCalls' }, 'tool_use'],
    [{ kind: 'filtered' }, 'refusal'],
    [{ kind: 'refused' }, 'refusal'],
    [{ kind: 'paused' }, 'pause_turn'],
    [{ kind: 'other', reason: 'abort' }, 'end_turn'],
  ])('the reason %j is said as %s', (reason, expected) => {
    const whole = fold([{ kind: 'started' }, { kind: 'finished', choice: 0, reason }, { kind: 'ended' }]);
    expect(anthropicMessages.writeAnswer(whole, context)).toMatchObject({ stop_reason: expected });
  });

  test.each([
    ['pause_turn', { kind: 'paused' }],
    ['refusal', { kind: 'refused' }],
    ['model_context_window_exceeded', { kind: 'length' }],
    ['compaction', { kind: 'other', reason: 'compaction' }],
  ])('the reason %s is read', (reason, expected) => {
    expect(eventsOf({ ...message, stop_reason: reason })).toContainEqual({
      kind: 'finished',
      choice: 0,
      reason: expected,
    });
  });

  test.each([
    ['', {}],
    ['{"at":', { INVALID_JSON: '{"at":' }],
    ['[1]', { INVALID_JSON: '[1]' }],
    ['{"seed":12345678901234567890}', undefined],
  ])('arguments %j', (args, expected) => {
    const whole = fold([
      { kind: 'started' },
      { kind: 'toolCall', choice: 0, call: 0, id: 'a', name: 'look' },
      { kind: 'toolArguments', choice: 0, call: 0, text: args },
      { kind: 'ended' },
    ]);
    const text = JSON.stringify(anthropicMessages.writeAnswer(whole, context));
    expect(text).toContain(`"input":${expected === undefined ? args : JSON.stringify(expected)}`);
  });

  test('blocks of the service itself pass', () => {
    const search = { type: 'server_tool_use', id: 's', name: 'web_search', input: {} };
    const whole = fold(eventsOf({ ...message, content: [search, { type: 'text', text: 'x' }] }));
    expect(anthropicMessages.writeAnswer(whole, context)).toMatchObject({
      content: [search, { type: 'text', text: 'x' }],
    });
  });

  test.each<[JsonObject, string]>([
    [{}, 'The answer of the engine is not a message'],
    [{ choices: [] }, 'The answer of the engine is not a message'],
    [{ type: 'error', error: { type: 'api_error', message: 'Dead' } }, 'Dead'],
    [{ error: { code: 500, message: 'Dead' } }, 'Dead'],
  ])('%j is no answer', (body, text) => {
    expect(eventsOf(body)).toMatchObject([{ kind: 'failed', error: { message: text } }]);
  });

  test('what makes no sense in an answer is passed over', () => {
    const events = eventsOf({
      content: [null, 7, { type: 'text' }, { type: 'tool_use' }, { type: 'thinking', thinking: 7 }],
      usage: 'none',
    });
    expect(events).toEqual([
      { kind: 'started' },
      { kind: 'toolCall', choice: 0, call: 0, id: 'toolu_0', name: 'unnamed' },
      { kind: 'toolArguments', choice: 0, call: 0, text: '{}' },
      { kind: 'finished', choice: 0, reason: { kind: 'toolCalls' } },
      { kind: 'ended' },
    ]);
  });
});

describe('counting tokens', () => {
  test('a request needs no limit to be counted', () => {
    const { max_tokens: _limit, ...body } = asked;
    expect(readCountRequest(body)).toMatchObject({ model: 'tiny', sampling: {} });
    expect(writeCount(7)).toEqual({ input_tokens: 7 });
  });
});
