import { describe, expect, test } from 'vitest';
import { fullHabits, notingTarget, templateHabits } from '../../../test/dialects/habits.ts';
import type { EngineHabits } from '../../domain/engine-habits.ts';
import type { ChatRequest, JsonObject } from '../ir/request.ts';
import { readRequest } from './request.ts';
import { writeTools } from './tools.ts';

const f = {
  type: 'function',
  function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true },
};
const g = { type: 'function', function: { name: 'g' } };
const patch = {
  type: 'custom',
  custom: {
    name: 'patch',
    description: 'd',
    format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "x"' } },
  },
};

function read(members: JsonObject): ChatRequest {
  return readRequest({ model: 'm', messages: [], ...members });
}

function written(
  members: JsonObject,
  habits: EngineHabits = fullHabits,
): JsonObject & { dropped: readonly string[] } {
  const target = notingTarget(habits);
  return { ...writeTools(read(members), target), dropped: target.dropped };
}

const unchoosing: EngineHabits = { ...fullHabits, takesToolChoice: false };

describe('tools of a chat request', () => {
  test('are the same after reading and writing', () => {
    const members = { tools: [f, g, patch], tool_choice: 'required', parallel_tool_calls: false };
    expect(written(members)).toEqual({ ...members, dropped: [] });
  });

  test.each<[unknown, object]>([
    ['auto', { kind: 'auto' }],
    ['none', { kind: 'none' }],
    ['required', { kind: 'required' }],
    [
      { type: 'function', function: { name: 'f' } },
      { kind: 'tool', name: 'f' },
    ],
    [
      { type: 'custom', custom: { name: 'patch' } },
      { kind: 'tool', name: 'patch' },
    ],
    [
      {
        type: 'allowed_tools',
        allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'g' } }] },
      },
      { kind: 'allowed', names: ['g'], required: true },
    ],
  ])('are chosen by %j', (choice, expected) => {
    expect(read({ tools: [f], tool_choice: choice }).toolChoice).toEqual(expected);
  });

  test('that are allowed are the only ones shown', () => {
    const allowed = { mode: 'auto', tools: [{ type: 'function', function: { name: 'g' } }] };
    expect(
      written({ tools: [f, g], tool_choice: { type: 'allowed_tools', allowed_tools: allowed } }),
    ).toEqual({
      tools: [g],
      tool_choice: 'auto',
      dropped: [],
    });
  });

  test('in the older form are functions', () => {
    expect(read({ functions: [{ name: 'f' }], function_call: { name: 'f' } })).toMatchObject({
      tools: [{ kind: 'function', name: 'f' }],
      toolChoice: { kind: 'tool', name: 'f' },
      parallelToolCalls: false,
      wantsFunctionCall: true,
    });
    expect(read({ tools: [f], functions: [{ name: 'f' }] }).wantsFunctionCall).toBeUndefined();
    expect(read({ functions: [], function_call: 'none' }).toolChoice).toEqual({ kind: 'none' });
  });

  test('that are free text become functions for templates', () => {
    const body = written(
      { tools: [patch], tool_choice: { type: 'custom', custom: { name: 'patch' } } },
      templateHabits,
    );
    expect(body).toMatchObject({
      tools: [{ type: 'function', function: { name: 'patch', parameters: { required: ['input'] } } }],
      tool_choice: { type: 'function', function: { name: 'patch' } },
    });
    expect(JSON.stringify(body['tools'])).toContain('start: ');
  });

  test('of another service are reported', () => {
    const request: ChatRequest = {
      ...read({}),
      tools: [{ kind: 'builtin', dialect: 'openai-responses', type: 'web_search', value: {} }],
      toolChoice: { kind: 'auto' },
    };
    const target = notingTarget();
    expect(writeTools(request, target)).toEqual({});
    expect(target.dropped).toEqual(['tools[].web_search']);
  });
});

describe('a choice of tools for an engine that takes none', () => {
  test.each<[JsonObject, readonly string[]]>([
    [{ tool_choice: 'auto' }, []],
    [{ tool_choice: 'required' }, ['tool_choice']],
    [{ tool_choice: { type: 'function', function: { name: 'g' } } }, ['tool_choice']],
    [{ parallel_tool_calls: true }, []],
    [{ parallel_tool_calls: false }, ['parallel_tool_calls']],
  ])('%j drops %j', (members, dropped) => {
    expect(written({ tools: [g], ...members }, unchoosing)).toEqual({ tools: [g], dropped });
  });

  test('leaves the tools out when none may be used', () => {
    expect(written({ tools: [g], tool_choice: 'none' }, unchoosing)).toEqual({ dropped: [] });
  });
});
