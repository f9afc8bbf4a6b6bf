import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryChatRequest } from '../../test/dialects/arbitrary-request.ts';
import type { Message } from './ir/parts.ts';
import type { ChatRequest, Tool } from './ir/request.ts';
import { steadyPrefix } from './volatile-prefix.ts';

const hello: Message = { role: 'user', parts: [{ kind: 'text', text: 'Hello' }] };
const rules = 'You are terse.\nYou are kind.';

function ask(system: readonly string[], more: Partial<ChatRequest> = {}): ChatRequest {
  const parts = system.map((text) => ({ kind: 'text' as const, text }));
  return {
    kind: 'chat',
    dialect: 'anthropic-messages',
    model: 'm',
    stream: true,
    usageInStream: true,
    messages: [{ role: 'system', parts }, hello],
    sampling: {},
    own: {},
    extra: {},
    ...more,
  };
}

/** Texts of all messages, in order. */
function textsOf({ messages }: ChatRequest): readonly (readonly string[])[] {
  return messages.map(({ parts }) =>
    parts.flatMap((part) => {
      if (part.kind === 'text') return [part.text];
      return part.kind === 'toolResult' ? part.parts.map((inner) => ('text' in inner ? inner.text : '')) : [];
    }),
  );
}

describe('the system prompt', () => {
  test('loses the line for billing, wherever it stands', () => {
    const header = 'x-anthropic-billing-header: cc_version=2.1.37.0d9; cc_entrypoint=cli; cch=fa690;';
    for (const system of [[header, rules], [`${header}\n${rules}`]]) {
      const { request, changes } = steadyPrefix(ask(system));
      expect(changes).toEqual(['attribution']);
      expect(textsOf(request)).toEqual([[rules], ['Hello']]);
    }
  });

  test.each([
    "Today's date: 2026-08-16",
    'Today’s date is 2026-08-16.',
    'Current date: Sunday, August 16, 2026',
    'The current date is: 2026-08-16',
    '  - The current date is 2026-08-16',
    '📅 CURRENT DATE: 2026-08-16',
    '<current_date>2026-08-16</current_date>',
  ])('has the date at its end: %s', (line) => {
    const { request, changes } = steadyPrefix(ask([`You are terse.\n${line}\nYou are kind.`, 'More.']));
    expect(changes).toEqual(['date']);
    expect(textsOf(request)).toEqual([[rules, 'More.', line.trim()], ['Hello']]);
  });

  test.each([
    'Current date and time: Monday, March 9, 2026 at 06:00:31 PM PDT',
    '📅 CURRENT DATE/TIME: 2026-02-16 01:08:19 PST',
    'The current time is 01:08.',
    '<current_datetime>2026-02-16T01:08:19Z</current_datetime>',
  ])('does not have the time: %s', (line) => {
    const { request, changes } = steadyPrefix(ask([`${line}\n${rules}`]));
    expect(changes).toEqual(['time']);
    expect(textsOf(request)).toEqual([[rules], ['Hello', `<system-reminder>\n${line}\n</system-reminder>`]]);
  });

  test('does not collect budgets', () => {
    const { request, changes } = steadyPrefix(
      ask([
        `${rules}\n<total_tokens>90 tokens left</total_tokens>\n<total_tokens>80 tokens left</total_tokens>`,
      ]),
    );
    expect(changes).toEqual(['budget']);
    expect(textsOf(request)[1]?.[1]).toContain('80 tokens left');
    expect(JSON.stringify(request)).not.toContain('90 tokens left');
  });

  test.each([
    'The current date is 2026-08-16. You are a helpful assistant.',
    'Use the current date format YYYY-MM-DD.',
    'Today is a good day to write code at 10:30.',
    "Never guess today's date; ask for it.",
    `Current date: 2026-08-16 ${'and so on '.repeat(20)}`,
    'The header x-anthropic-billing-header: is not for you',
  ])('keeps what says more, or no date: %s', (line) => {
    const given = ask([`${line}\n${rules}`]);
    expect(steadyPrefix(given)).toEqual({ request: given, changes: [] });
  });

  test('that says nothing but the date is still one', () => {
    expect(textsOf(steadyPrefix(ask(['Current date: 2026-08-16'])).request)).toEqual([
      ['Current date: 2026-08-16'],
      ['Hello'],
    ]);
  });

  test('alone, without anybody who speaks, keeps everything', () => {
    const { request } = steadyPrefix({
      ...ask([`Current time: 10:30\n${rules}`]),
      messages: ask([`Current time: 10:30\n${rules}`]).messages.slice(0, 1),
    });
    expect(textsOf(request)).toEqual([[rules, 'Current time: 10:30']]);
  });
});

test('in a loop of tools the time is in the last result', () => {
  const call = { kind: 'toolCall' as const, id: 'a', name: 'look', arguments: '{}' };
  const given = ask([`Current time: 10:30:01\n${rules}`]);
  const { request } = steadyPrefix({
    ...given,
    messages: [
      ...given.messages,
      { role: 'assistant', parts: [call] },
      { role: 'tool', parts: [{ kind: 'toolResult', callId: 'a', parts: [{ kind: 'text', text: 'blue' }] }] },
    ],
  });
  expect(textsOf(request)).toEqual([
    [rules],
    ['Hello'],
    [],
    ['blue', '<system-reminder>\nCurrent time: 10:30:01\n</system-reminder>'],
  ]);
});

test('tools are sorted by name, and those that are stay as they are', () => {
  const tool = (name: string): Tool => ({ kind: 'function', name });
  const { request, changes } = steadyPrefix(ask([rules], { tools: [tool('b'), tool('B'), tool('a')] }));
  expect(request.tools).toEqual([tool('B'), tool('a'), tool('b')]);
  expect(changes).toEqual(['tool-order']);
  expect(steadyPrefix(ask([rules], { tools: [tool('a'), tool('b')] })).changes).toEqual([]);
});

test('two requests of one session have the same prefix up to their last message', () => {
  const at = (time: string, cch: string, tools: readonly string[]) =>
    steadyPrefix(
      ask(
        [`x-anthropic-billing-header: cch=${cch};`, `Current date and time: 2026-08-16 ${time}\n${rules}`],
        {
          tools: tools.map((name) => ({ kind: 'function', name })),
        },
      ),
    ).request;
  const one = at('10:30:01', 'aaa', ['x', 'y']);
  const other = at('10:31:22', 'bbb', ['y', 'x']);
  expect(one.messages[0]).toEqual(other.messages[0]);
  expect(one.tools).toEqual(other.tools);
});

test('doing it twice changes nothing more, whatever the request', () => {
  const lines = fc.constantFrom('Current date: 2026-08-16', 'Current time: 10:30', 'x-anthropic-y: 1', rules);
  const requests = arbitraryChatRequest({ dialect: 'openai-chat' });
  fc.assert(
    fc.property(requests, fc.array(lines, { maxLength: 4 }), (request, system) => {
      const parts = [{ kind: 'text' as const, text: system.join('\n') }];
      const given = { ...request, messages: [{ role: 'system' as const, parts }, ...request.messages] };
      const once = steadyPrefix(given).request;
      const [before, after] = [JSON.stringify(once), JSON.stringify(steadyPrefix(once).request)];
      expect(after).toBe(before);
    }),
    { numRuns: 100 },
  );
});
