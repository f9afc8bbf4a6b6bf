import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryChatRequest } from '../../../test/dialects/arbitrary-request.ts';
import '../../../test/property-seed.ts';
import type { Message } from '../ir/parts.ts';
import type { ChatRequest } from '../ir/request.ts';
import { estimateInputTokens } from '../token-estimate.ts';
import { trimToFit } from './trim-to-fit.ts';

/** About 100 tokens. */
const long = 'one two three four five six seven eight nine ten '.repeat(10);

/** `s`, `d`: instructions. `u`: a user. `a`: an assistant. `c`: one that calls. `t`: the results of the last calls. */
function conversation(shape: string): readonly Message[] {
  const messages: Message[] = [];
  let calls = 0;
  for (const [index, letter] of Array.from(shape).entries()) {
    const said = { kind: 'text', text: `${index} ${long}` } as const;
    if (letter === 's') messages.push({ role: 'system', parts: [said] });
    else if (letter === 'd') messages.push({ role: 'developer', parts: [said] });
    else if (letter === 'u') messages.push({ role: 'user', parts: [said] });
    else if (letter === 'a') messages.push({ role: 'assistant', parts: [said] });
    else if (letter === 'c') {
      calls += 1;
      const call = { kind: 'toolCall', id: `call_${calls}`, name: 'look', arguments: '{}' } as const;
      messages.push({ role: 'assistant', parts: [said, call] });
    } else {
      messages.push({
        role: 'tool',
        parts: [{ kind: 'toolResult', callId: `call_${calls}`, parts: [said] }],
      });
    }
  }
  return messages;
}

function ask(messages: readonly Message[], more: Partial<ChatRequest> = {}): ChatRequest {
  return {
    kind: 'chat',
    dialect: 'openai-chat',
    model: 'm',
    stream: false,
    usageInStream: false,
    messages,
    sampling: {},
    own: {},
    extra: {},
    ...more,
  };
}

/** The indexes of the messages that remain. */
function kept(shape: string, contextTokens: number, promptTokens?: number): readonly number[] | undefined {
  const messages = conversation(shape);
  const request = ask(messages, { sampling: { maxTokens: 1 } });
  const room = { contextTokens, promptTokens: promptTokens ?? estimateInputTokens(request) };
  const trimmed = trimToFit(request, room);
  if (trimmed !== undefined) expect(trimmed.messages).toBe(messages.length - trimmed.request.messages.length);
  return trimmed?.request.messages.map((message) => messages.indexOf(message));
}

describe('what goes', () => {
  test.each<[string, string, number, readonly number[] | undefined]>([
    ['the oldest turn', 'suauau', 600, [0, 3, 4, 5]],
    ['as many turns as have to', 'suauau', 300, [0, 5]],
    ['nothing of the instructions, wherever they stand', 'suadudau', 450, [0, 3, 5, 7]],
    ['a call together with its results', 'uctauau', 600, [4, 5, 6]],
    ['old calls within the last turn, before what the user wanted', 'uctctctct', 550, [0, 5, 6, 7, 8]],
    ['never the calls that the model is to answer now', 'uctctct', 300, undefined],
    ['all of them but those', 'uctctct', 400, [0, 5, 6]],
    ['no remark of the user between calls', 'uctuctuctu', 620, [0, 7, 8, 9]],
    ['the task before an order that replaced it', 'uctuctctct', 450, [3, 8, 9]],
    ['what a user said in several messages, one after the other', 'uuuu', 300, [2, 3]],
    ['nothing where only the last message is left', 'su', 150, undefined],
    ['nothing of a conversation that has no user', 'saca', 150, undefined],
  ])('%s', (_, shape, contextTokens, expected) => {
    expect(kept(shape, contextTokens)).toEqual(expected);
  });
});

describe('the size', () => {
  test('is scaled by what the engine counted', () => {
    const size = estimateInputTokens(ask(conversation('uauauauau')));
    expect(kept('uauauauau', 600, size)?.length).toBe(5);
    expect(kept('uauauauau', 600, size * 2)?.length).toBe(1);
    expect(kept('uauauauau', 600, size * 0.8)?.length).toBe(7);
  });

  test('leaves room for the answer that was asked for, up to a quarter of the context', () => {
    const messages = conversation('uauauauau');
    const left = (maxTokens?: number) =>
      trimToFit(ask(messages, { sampling: maxTokens === undefined ? {} : { maxTokens } }), {
        contextTokens: 850,
        promptTokens: 900,
      })?.request.messages.length;
    expect([left(1), left(200), left(100_000), left()]).toEqual([7, 5, 5, 5]);
  });

  test('leaves room for the whole answer where the engine reserves that', () => {
    const messages = conversation('uauauauau');
    const room = { contextTokens: 1200, promptTokens: estimateInputTokens(ask(messages)) };
    const trimmed = trimToFit(ask(messages, { sampling: { maxTokens: 800 } }), room);
    expect(trimmed?.request.messages.length).toBe(3);
    expect(trimToFit(ask(messages, { sampling: { maxTokens: 1200 } }), room)).toBeUndefined();
  });

  test('rather leaves less room for the answer than to give up', () => {
    const messages = conversation('uau');
    const trimmed = trimToFit(ask(messages), {
      contextTokens: 140,
      promptTokens: estimateInputTokens(ask(messages)),
    });
    expect(trimmed?.messages).toBe(2);
  });

  test('of tools counts', () => {
    const messages = conversation('uauauauau');
    const tools = [{ kind: 'function', name: 'look', description: long.repeat(4) }] as const;
    const room = { contextTokens: 900, promptTokens: estimateInputTokens(ask(messages, { tools })) };
    expect(trimToFit(ask(messages, { tools }), room)?.request.messages.length).toBe(1);
  });

  test('is taken for more than the context where nobody told it', () => {
    const request = ask(conversation('uauauauau'), { sampling: { maxTokens: 1 } });
    expect(trimToFit(request, { contextTokens: 600 })?.request.messages.length).toBe(5);
    expect(trimToFit(request, { contextTokens: 10_000 })?.request.messages.length).toBe(7);
  });

  test('is halved where the context is unknown', () => {
    expect(trimToFit(ask(conversation('uauauauau')), {})?.request.messages.length).toBe(3);
  });
});

const requests = arbitraryChatRequest({ dialect: 'openai-chat', systemMessagesMax: 3 });
const rooms = fc.record({
  contextTokens: fc.integer({ min: 1, max: 400 }),
  promptTokens: fc.integer({ min: 1, max: 800 }),
});

function isInstruction({ role }: Message): boolean {
  return role === 'system' || role === 'developer';
}

describe('any conversation', () => {
  test('keeps its instructions, its order, its last user and whole exchanges', () => {
    fc.assert(
      fc.property(requests, rooms, (request, room) => {
        const trimmed = trimToFit(request, room);
        if (trimmed === undefined) return;
        const { messages } = trimmed.request;
        expect({ ...trimmed.request, messages: [] }).toEqual({ ...request, messages: [] });
        expect(messages.length).toBe(request.messages.length - trimmed.messages);
        expect(trimmed.messages).toBeGreaterThan(0);
        expect(messages.filter(isInstruction)).toEqual(request.messages.filter(isInstruction));
        const spoken = messages.filter((message) => !isInstruction(message));
        expect(spoken[0]?.role).toBe('user');
        // The words with which the last turn began may stand before what is left of it.
        const rest = spoken.slice(spoken.findIndex(({ role }) => role !== 'user'));
        expect(request.messages.slice(-rest.length)).toEqual(rest);
        expect(spoken.findLast(({ role }) => role === 'user')).toBe(
          request.messages.findLast(({ role }) => role === 'user'),
        );
        const calls = new Set(
          spoken.flatMap(({ parts }) => parts.flatMap((part) => (part.kind === 'toolCall' ? part.id : []))),
        );
        for (const { parts } of spoken) {
          for (const part of parts) if (part.kind === 'toolResult') expect(calls).toContain(part.callId);
        }
      }),
    );
  });

  test('keeps no more when there is less room', () => {
    fc.assert(
      fc.property(requests, rooms, fc.nat(100), (request, room, less) => {
        const length = (contextTokens: number): number =>
          trimToFit(request, { ...room, contextTokens })?.request.messages.length ?? 0;
        const smaller = Math.max(1, room.contextTokens - less);
        // Below its context an engine refuses a prompt only where it reserves the answer.
        fc.pre(room.promptTokens >= room.contextTokens || room.promptTokens < smaller);
        expect(length(smaller)).toBeLessThanOrEqual(length(room.contextTokens));
      }),
    );
  });
});
