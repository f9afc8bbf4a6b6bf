import { describe, expect, test } from 'vitest';
import { readStream, sse } from '../../../test/dialects/answers.ts';
import { callsOf, eventsOf, readChunks } from '../../../test/dialects/chat-chunks.ts';
import type { JsonObject } from '../ir/request.ts';
import { openaiChat } from './index.ts';

describe('a tool call of an engine', () => {
  const piece = (members: JsonObject, text: unknown, name?: string): JsonObject => ({
    ...members,
    function: { ...(name !== undefined && { name }), arguments: text },
  });
  const calls = (...pieces: readonly JsonObject[]): JsonObject => ({ tool_calls: pieces });

  test.each<[string, readonly JsonObject[], readonly string[], readonly string[]]>([
    [
      'in pieces',
      [
        calls(piece({ index: 0, id: 'a' }, '', 'f')),
        calls(piece({ index: 0 }, '{"x"')),
        calls(piece({ index: 0 }, ':1}')),
      ],
      ['f a {"x":1}'],
      [],
    ],
    [
      'whole, two in one delta',
      [calls(piece({ index: 0, id: 'a' }, '{}', 'f'), piece({ index: 1, id: 'b' }, '{}', 'g'))],
      ['f a {}', 'g b {}'],
      [],
    ],
    [
      'without index, with ids',
      [calls(piece({ id: 'a' }, '{}', 'f')), calls(piece({ id: 'b' }, '{"y":2}', 'g'))],
      ['f a {}', 'g b {"y":2}'],
      ['toolIndexMissing'],
    ],
    [
      'without index, in pieces that repeat the id',
      [
        calls(piece({ id: 'a' }, '{"x"', 'f')),
        calls(piece({ id: 'b' }, '{', 'g')),
        calls(piece({ id: 'a' }, ':1}')),
        calls(piece({ id: 'b' }, '}')),
      ],
      ['f a {"x":1}', 'g b {}'],
      ['toolIndexMissing'],
    ],
    [
      'without index and id',
      [calls(piece({}, '{"x":', 'f')), calls(piece({}, '1}')), calls(piece({}, '{}', 'f'))],
      ['f call_0_0 {"x":1}', 'f call_0_1 {}'],
      ['toolIndexMissing', 'toolIdMissing'],
    ],
    [
      'always with index 0',
      [calls(piece({ index: 0, id: 'a' }, '{}', 'f')), calls(piece({ index: 0, id: 'b' }, '{}', 'g'))],
      ['f a {}', 'g b {}'],
      ['toolIndexRepeated'],
    ],
    [
      'with index 0 and no id, one after the other',
      [calls(piece({ index: 0 }, '{"x":1}', 'f')), calls(piece({ index: 0 }, '{"x":2}', 'f'))],
      ['f call_0_0 {"x":1}', 'f call_0_1 {"x":2}'],
      ['toolIdMissing', 'toolIndexRepeated'],
    ],
    [
      'with id and name in every piece',
      [calls(piece({ index: 0, id: 'a' }, '{"x"', 'f')), calls(piece({ index: 0, id: 'a' }, ':1}', 'f'))],
      ['f a {"x":1}'],
      [],
    ],
    [
      'with another id in every piece',
      [calls(piece({ index: 0, id: 'a' }, '{"x"', 'f')), calls(piece({ index: 0, id: 'b' }, ':1}', 'f'))],
      ['f a {"x":1}'],
      [],
    ],
    [
      'with its name once more before the arguments',
      [calls(piece({ index: 0, id: 'a' }, '', 'f')), calls(piece({ index: 0 }, '{}', 'f'))],
      ['f a {}'],
      [],
    ],
    [
      'that comes again whole at the end',
      [
        calls(piece({ index: 0, id: 'a' }, '{"x"', 'f')),
        calls(piece({ index: 0 }, ':1}')),
        calls(piece({ index: 0, id: 'a' }, '{"x":1}', 'f')),
      ],
      ['f a {"x":1}'],
      ['toolCallRepeated'],
    ],
    [
      'that comes again whole without its id',
      [calls(piece({ index: 0, id: 'a' }, '{"x":1}', 'f')), calls(piece({ index: 0 }, '{"x":1}', 'f'))],
      ['f a {"x":1}'],
      ['toolCallRepeated'],
    ],
    [
      'with arguments as an object',
      [calls(piece({ index: 0, id: 'a' }, { x: 1 }, 'f'))],
      ['f a {"x":1}'],
      ['argumentsAsObject'],
    ],
    [
      'without arguments',
      [calls(piece({ index: 0, id: 'a' }, undefined, 'f'))],
      ['f a {}'],
      ['argumentsMissing'],
    ],
    [
      'with arguments before its name',
      [calls(piece({ index: 0, id: 'a' }, '{"x"')), calls(piece({ index: 0 }, ':1}', 'f'))],
      ['f a {"x":1}'],
      [],
    ],
    [
      'in the older form',
      [{ function_call: { name: 'f', arguments: '{"x"' } }, { function_call: { arguments: ':1}' } }],
      ['f call_0_0 {"x":1}'],
      ['toolIdMissing'],
    ],
    [
      'that is free text',
      [
        calls({ index: 0, id: 'a', type: 'custom', custom: { name: 'f', input: 'x' } }),
        calls({ index: 0, custom: { input: 'y' } }),
      ],
      ['f a xy'],
      [],
    ],
  ])('%s', (_name, deltas, expected, repairs) => {
    const read = eventsOf(...deltas);
    expect(callsOf(read.events)).toEqual(expected);
    expect(read.repairs.filter((name) => name !== 'finishReasonWrong')).toEqual(repairs);
    expect(read.events).toContainEqual({ kind: 'finished', choice: 0, reason: { kind: 'toolCalls' } });
  });

  test('without index that comes again in a whole message is no other one', () => {
    const call = piece({ id: 'a' }, '{}', 'f');
    const { events, repairs } = readChunks(
      { choices: [{ delta: calls(call) }] },
      { choices: [{ message: calls(call), finish_reason: 'tool_calls' }] },
      '[DONE]',
    );
    expect(callsOf(events)).toEqual(['f a {}']);
    expect(repairs).toEqual(['toolIndexMissing', 'toolCallRepeated']);
  });

  test('that shares its id with another gets one of its own', () => {
    const { events, repairs } = eventsOf(
      calls(piece({ index: 0, id: 'a' }, '{}', 'f'), piece({ index: 1, id: 'a' }, '{}', 'f')),
    );
    expect(callsOf(events)).toEqual(['f a {}', 'f call_0_1 {}']);
    expect(repairs).toContain('toolIdRepeated');
  });

  test('that never gets a name is left out', () => {
    const { events, repairs } = eventsOf(calls(piece({ index: 0, id: 'a' }, '{}')));
    expect(callsOf(events)).toEqual([]);
    expect(repairs).toEqual(['toolNameMissing']);
  });

  test('without id gets one of the answer', () => {
    const { events } = readStream(openaiChat, [
      sse({ id: 'chatcmpl-1/2', choices: [{ delta: calls(piece({ index: 0 }, '{}', 'f')) }] }, '[DONE]'),
    ]);
    expect(events[1]).toMatchObject({ kind: 'toolCall', id: 'call_chatcmpl-1_2_0_0' });
  });

  test('that was cut keeps its unfinished arguments', () => {
    const { events, repairs } = readChunks(
      { choices: [{ delta: calls(piece({ index: 0, id: 'a' }, '', 'f')), finish_reason: 'length' }] },
      '[DONE]',
    );
    expect(callsOf(events)).toEqual(['f a ']);
    expect(events).toContainEqual({ kind: 'finished', choice: 0, reason: { kind: 'length' } });
    expect(repairs).toEqual([]);
  });
});
