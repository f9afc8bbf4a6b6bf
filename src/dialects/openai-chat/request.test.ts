import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryChatRequest } from '../../../test/dialects/arbitrary-request.ts';
import { fullHabits, notingTarget, templateHabits } from '../../../test/dialects/habits.ts';
import { requestSamples } from '../../../test/dialects/samples/openai-chat.ts';
import type { EngineHabits } from '../../domain/engine-habits.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { JsonObject, ModelRequest, TextRequest } from '../ir/request.ts';
import { readRequest, writeRequest } from './request.ts';

const hello = [{ role: 'user', content: 'hello' }];

function read(members: JsonObject): ModelRequest {
  return readRequest({ model: 'm', messages: hello, ...members });
}

/** What an engine with the habits gets for a client's request, and what was dropped. */
function translated(
  members: JsonObject,
  habits: Partial<EngineHabits> = {},
): { body: JsonObject | undefined; dropped: readonly string[] } {
  const target = notingTarget({ ...fullHabits, ...habits });
  return { body: writeRequest(read(members), target), dropped: target.dropped };
}

test('a request that the dialect can say is the same after writing and reading', () => {
  const requests = arbitraryChatRequest({
    dialect: 'openai-chat',
    systemMessagesMax: 2,
    imageSources: ['base64', 'url'],
    documentSources: ['base64', 'file'],
    resultParts: ['text'],
    resultMembers: ['name'],
    reasoningProofs: [],
    toolChoices: ['auto', 'none', 'required', 'tool'],
    reasoning: ['enabled', 'effort', 'budgetTokens'],
    members: ['user', 'metadata', 'parallelToolCalls'],
  });
  fc.assert(
    fc.property(requests, (request) => {
      const target = notingTarget();
      const body = JSON.parse(JSON.stringify(writeRequest(request, target))) as JsonObject;
      const again = readRequest(body);
      expect({ ...again, usageInStream: request.usageInStream }).toEqual(request);
      expect(target.dropped).toEqual([]);
    }),
  );
});

describe('a sample of what the API documents', () => {
  /** Engines know none of them, so they are told the same in another way. */
  const changed = [
    'messages[].content[].image_url in a tool result',
    'tool_choice.allowed_tools',
    'functions',
    'function_call',
  ];

  test.each(requestSamples.map(({ field, body }) => [field, body] as const))(
    'loses nothing: %s',
    (field, body) => {
      const request = readRequest(body);
      const target = notingTarget();
      const written = writeRequest(request, target);
      expect(target.dropped).toEqual([]);
      const again = { ...readRequest(written ?? {}), usageInStream: request.usageInStream };
      if (changed.includes(field)) expect(again).not.toEqual(request);
      else expect(again).toEqual(request);
    },
  );
});

test('nothing of an engine request names a role that a template does not know', () => {
  const requests = arbitraryChatRequest({ dialect: 'anthropic-messages', systemMessagesMax: 3 });
  fc.assert(
    fc.property(requests, (request) => {
      const body = writeRequest(request, notingTarget(templateHabits));
      const messages = body?.['messages'] as readonly JsonObject[];
      expect(messages.filter(({ role }) => role === 'system').length).toBeLessThanOrEqual(1);
      expect(
        messages.every(({ role }) => ['system', 'user', 'assistant', 'tool'].includes(String(role))),
      ).toBe(true);
    }),
  );
});

describe('sampling of a chat request', () => {
  test.each([
    ['max_tokens', 7, 'maxTokens'],
    ['max_completion_tokens', 7, 'maxTokens'],
    ['temperature', 0.5, 'temperature'],
    ['top_p', 0.5, 'topP'],
    ['top_k', 5, 'topK'],
    ['min_p', 0.1, 'minP'],
    ['typical_p', 0.1, 'typicalP'],
    ['seed', 42, 'seed'],
    ['frequency_penalty', 1, 'frequencyPenalty'],
    ['presence_penalty', 1, 'presencePenalty'],
    ['repeat_penalty', 1.1, 'repeatPenalty'],
    ['repetition_penalty', 1.1, 'repeatPenalty'],
    ['repeat_last_n', 64, 'repeatLastN'],
    ['logprobs', true, 'logprobs'],
    ['top_logprobs', 3, 'topLogprobs'],
    ['n', 2, 'choices'],
  ])('reads %s', (name, value, member) => {
    expect(read({ [name]: value }).sampling).toEqual({ [member]: value });
    expect(read({ [name]: null }).sampling).toEqual({});
    expect(() => read({ [name]: 'x' })).toThrow(new RegExp(`^${name}: must be`));
  });

  test('reads one stop text or several', () => {
    expect(read({ stop: 'a' }).sampling).toEqual({ stop: ['a'] });
    expect(read({ stop: ['a', 'b'] }).sampling).toEqual({ stop: ['a', 'b'] });
    expect(() => read({ stop: [1] })).toThrow('stop: must be a string or a list of strings');
  });

  test('names the limit of tokens as the engine does', () => {
    expect(translated({ max_completion_tokens: 9 }).body).toMatchObject({ max_tokens: 9 });
    expect(translated({ max_tokens: 9 }, { wantsMaxCompletionTokens: true }).body).toMatchObject({
      max_completion_tokens: 9,
    });
  });

  test('reports samplers that the engine does not take', () => {
    const samplers = { top_k: 1, min_p: 0.1, typical_p: 0.2, repeat_penalty: 1.1, repeat_last_n: 4 };
    expect(translated(samplers, { takesMoreSamplers: false })).toEqual({
      body: { model: 'm', stream: false, messages: hello },
      dropped: ['top_k', 'min_p', 'repeat_penalty', 'typical_p', 'repeat_last_n'],
    });
    expect(translated(samplers, { repeatPenaltyName: 'repetition_penalty' })).toEqual({
      body: { model: 'm', stream: false, messages: hello, top_k: 1, min_p: 0.1, repetition_penalty: 1.1 },
      dropped: ['typical_p', 'repeat_last_n'],
    });
  });
});

describe('usage of a streaming chat request', () => {
  test('is always asked for', () => {
    expect(translated({ stream: true }).body).toMatchObject({ stream_options: { include_usage: true } });
    expect(translated({ stream: false }).body).not.toHaveProperty('stream_options');
  });

  test('is shown to clients that want it', () => {
    expect(read({ stream: true }).usageInStream).toBe(false);
    expect(read({ stream: true, stream_options: { include_usage: true } }).usageInStream).toBe(true);
    expect(read({ stream_options: { include_usage: true } }).usageInStream).toBe(false);
  });
});

describe('thinking in a chat request', () => {
  test.each<[JsonObject, object | undefined]>([
    [{}, undefined],
    [{ reasoning_effort: 'high' }, { effort: 'high' }],
    [{ reasoning_effort: 'none' }, { enabled: false }],
    [{ reasoning: { effort: 'low', summary: 'auto' } }, { effort: 'low', summary: 'auto' }],
    [{ reasoning: { enabled: true, max_tokens: 5 } }, { enabled: true, budgetTokens: 5 }],
    [{ thinking: { type: 'enabled', budget_tokens: 2048 } }, { enabled: true, budgetTokens: 2048 }],
    [{ thinking: { type: 'disabled' } }, { enabled: false }],
    [{ chat_template_kwargs: { enable_thinking: false } }, { enabled: false }],
    [{ chat_template_kwargs: { thinking: true } }, { enabled: true }],
    [
      { enable_thinking: true, thinking_budget: 3 },
      { enabled: true, budgetTokens: 3 },
    ],
    [{ thinking_budget_tokens: 3 }, { budgetTokens: 3 }],
    [{ reasoning_budget_tokens: 3 }, { budgetTokens: 3 }],
    [{ thinking_token_budget: 3 }, { budgetTokens: 3 }],
  ])('is read from %j', (members, wish) => {
    expect(read(members).reasoning).toEqual(wish);
  });

  const off = { thinking: { type: 'disabled' } };
  const on = { thinking: { type: 'enabled', budget_tokens: 9 } };
  test.each<[string, JsonObject, Partial<EngineHabits>, JsonObject, readonly string[]]>([
    ['off', off, {}, { chat_template_kwargs: { enable_thinking: false } }, []],
    ['off', off, { reasoningControl: 'effort' }, { reasoning_effort: 'none' }, []],
    ['off', off, { reasoningControl: 'none' }, {}, ['reasoning']],
    ['on', on, {}, { chat_template_kwargs: { enable_thinking: true }, thinking_budget_tokens: 9 }, []],
    ['effort', { reasoning_effort: 'low' }, {}, { reasoning_effort: 'low' }, []],
    ['effort', { reasoning_effort: 'low' }, { reasoningControl: 'effort' }, { reasoning_effort: 'low' }, []],
  ])('that is %s is written for the engine: %j %j', (_name, members, habits, body, dropped) => {
    const written = translated(members, habits);
    expect(written.body).toEqual({ model: 'm', stream: false, messages: hello, ...body });
    expect(written.dropped).toEqual(dropped);
  });

  test('has its budget reported where an engine has no such member', () => {
    const { reasoningBudgetMember: _, ...habits } = fullHabits;
    const target = notingTarget(habits);
    expect(writeRequest(read(on), target)).not.toHaveProperty('thinking_budget_tokens');
    expect(target.dropped).toEqual(['reasoning.budget_tokens']);
  });

  test('keeps other members for the template', () => {
    const kwargs = { enable_thinking: false, tone: 'dry' };
    expect(translated({ chat_template_kwargs: kwargs }).body).toMatchObject({ chat_template_kwargs: kwargs });
  });
});

describe('output format of a chat request', () => {
  const schema = { type: 'object' };
  test.each([
    [{ type: 'text' }, { kind: 'text' }],
    [{ type: 'json_object' }, { kind: 'json' }],
    [
      { type: 'json_object', schema },
      { kind: 'schema', schema },
    ],
    [
      { type: 'json_schema', json_schema: { name: 'n', description: 'd', strict: true, schema } },
      { kind: 'schema', name: 'n', description: 'd', strict: true, schema },
    ],
  ])('is read from %j', (format, expected) => {
    expect(read({ response_format: format }).format).toEqual(expected);
  });

  test('of an unknown type is refused', () => {
    expect(() => read({ response_format: { type: 'yaml' } })).toThrow('response_format.type: must be');
  });

  test('gets a name where it has none', () => {
    const request = { ...read({}), format: { kind: 'schema', schema } } as ModelRequest;
    expect(writeRequest(request, notingTarget())?.['response_format']).toEqual({
      type: 'json_schema',
      json_schema: { name: 'answer', schema },
    });
  });
});

describe('other members of a chat request', () => {
  test('that the API does not know go to engines that ignore them', () => {
    expect(translated({ grammar: 'root ::= "a"' }).body).toHaveProperty('grammar');
    const refused = translated({ grammar: 'x' }, { unknownMembers: 'refused' });
    expect(refused.body).not.toHaveProperty('grammar');
    expect(refused.dropped).toEqual(['grammar']);
  });

  test('that only the API has go to engines of the API', () => {
    const request = read({ service_tier: 'flex', store: null });
    expect(request.own).toEqual({ service_tier: 'flex' });
    expect(writeRequest(request, notingTarget())).toHaveProperty('service_tier', 'flex');
    const foreign = { ...request, dialect: 'openai-responses' } as ModelRequest;
    const target = notingTarget();
    expect(writeRequest(foreign, target)).not.toHaveProperty('service_tier');
    expect(target.dropped).toEqual(['service_tier']);
  });

  test('that only Ollama has are reported', () => {
    const target = notingTarget();
    writeRequest({ ...read({}), keepAlive: '5m', contextTokens: 4096 }, target);
    expect(target.dropped).toEqual(['keep_alive', 'num_ctx']);
  });
});

describe('a text request as a chat request', () => {
  const text: TextRequest = {
    kind: 'text',
    dialect: 'ollama-generate',
    model: 'm',
    stream: false,
    usageInStream: true,
    prompt: 'why',
    raw: false,
    sampling: {},
    own: {},
    extra: {},
  };

  test('is what a user says', () => {
    const image = {
      kind: 'image',
      source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' },
    } as const;
    const body = writeRequest({ ...text, system: 'be brief', images: [image] }, notingTarget());
    expect(body?.['messages']).toEqual([
      { role: 'system', content: 'be brief' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'why' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        ],
      },
    ]);
  });

  test.each([{ raw: true }, { suffix: '}' }, { echo: true }, { prompt: ['a', 'b'] }, { prompt: [1, 2] }])(
    'cannot be said with %j',
    (members) => {
      expect(writeRequest({ ...text, ...members }, notingTarget())).toBeUndefined();
    },
  );
});

describe('hostile chat requests', () => {
  test.each([
    [{ messages: undefined }, 'messages: is required'],
    [{ messages: 'hi' }, 'messages: must be a list'],
    [{ messages: [1] }, 'messages[0]: must be an object'],
    [{ model: 5 }, 'model: must be a string'],
    [{ stream: 'yes' }, 'stream: must be true or false'],
    [{ tools: [{ type: 'function' }] }, 'tools[0].function: is required'],
    [{ tools: [{}] }, 'tools[0].type: is required'],
    [{ tool_choice: 'sometimes' }, 'tool_choice: must be none, auto, required or an object'],
    [{ tool_choice: { type: 'x' } }, 'tool_choice.type: must be function, custom or allowed_tools'],
    [{ thinking: { type: 'maybe' } }, 'thinking.type: must be enabled, disabled or adaptive'],
  ])('%j: %s', (members, message) => {
    expect(() => read(members)).toThrow(
      new RequestShapeError(message.split(': ')[0] ?? '', message.split(': ')[1] ?? ''),
    );
  });

  const names = [
    'messages',
    'role',
    'content',
    'type',
    'text',
    'tools',
    'function',
    'image_url',
    'tool_calls',
    'stop',
    'reasoning',
  ];
  test('end in nothing but errors of their shape', () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom<unknown>(null, '', 'user', 'assistant', 'tool', 'text', 'function', 5, true, [], {}),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...names), tie('any'), { maxKeys: 4 }),
      ),
    })).any;
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value), (members) => {
        try {
          read(members);
        } catch (error) {
          expect(error).toBeInstanceOf(RequestShapeError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
