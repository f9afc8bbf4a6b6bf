import { describe, expect, test } from 'vitest';
import {
  contextOf,
  ended,
  finished,
  reasoning,
  responseOf,
  started,
  text,
  write,
} from '../../../test/dialects/responses-streams.ts';
import type { JsonObject } from '../ir/request.ts';
import { continueConversation, keptResponse, wantsToBeKept } from './conversation.ts';
import type { FindResponse, KeptResponse } from './conversation.ts';
import { openaiResponses } from './index.ts';
import { deletedResponse, listInputItems, responseMissing } from './kept-responses.ts';

const first = { model: 'tiny', input: 'Hi', instructions: 'be brief' };
const response = responseOf(
  write([started, reasoning('hm'), text('Hello'), finished('stop'), ended], contextOf(first)),
);
const kept = keptResponse(first, response);
const find: FindResponse = (id) => (id === 'resp_ab12' ? kept : undefined);

describe('a conversation goes on', () => {
  test('with all that was said, but without the instructions', () => {
    const next = {
      model: 'tiny',
      input: [{ role: 'user', content: 'And?' }],
      previous_response_id: 'resp_ab12',
    };
    const result = continueConversation(next, find);
    if ('error' in result) throw new Error(result.error.message);
    expect(openaiResponses.readRequest(result.request)).toMatchObject({
      messages: [
        { role: 'user', parts: [{ kind: 'text', text: 'Hi' }] },
        {
          role: 'assistant',
          parts: [
            { kind: 'reasoning', text: 'hm' },
            { kind: 'text', text: 'Hello' },
          ],
        },
        { role: 'user', parts: [{ kind: 'text', text: 'And?' }] },
      ],
      mirrored: { previous_response_id: 'resp_ab12' },
    });
    const second = keptResponse(result.request, { ...response, id: 'resp_cd34' });
    expect(second.input.map(({ id }) => id)).toEqual([
      'msg_ab12i0000',
      'rs_ab120000',
      'msg_ab120001',
      'msg_cd34i0003',
    ]);
  });

  test('with a text', () => {
    const result = continueConversation({ input: 'And?', previous_response_id: 'resp_ab12' }, find);
    expect(result).toMatchObject({ request: { input: [{}, {}, {}, { role: 'user', content: 'And?' }] } });
  });

  test('with references to items, of the response before or any other', () => {
    const reference = { type: 'item_reference', id: 'msg_ab120001' };
    const message = (response['output'] as JsonObject[])[1];
    expect(continueConversation({ input: [reference, { id: 'rs_ab120000' }] }, find)).toMatchObject({
      request: { input: [message, { type: 'reasoning' }] },
    });
    expect(
      continueConversation(
        { input: [{ type: 'item_reference', id: 'msg_ab12i0000' }], previous_response_id: 'resp_ab12' },
        find,
      ),
    ).toMatchObject({
      request: { input: [{}, {}, {}, { role: 'user' }] },
    });
  });

  test('as it is where nothing is to be put before it', () => {
    for (const request of [
      first,
      { input: 5 },
      { input: ['a'] },
      {},
      { input: [{ role: 'user', content: 'a', id: 'x' }] },
    ]) {
      expect(continueConversation(request, find)).toEqual({ request });
    }
  });
});

describe('a conversation cannot go on', () => {
  test('from a response that is not kept', () => {
    expect(continueConversation({ input: 'a', previous_response_id: 'resp_x' }, find)).toEqual({
      error: {
        message: "Previous response with id 'resp_x' not found.",
        status: 400,
        type: 'invalid_request_error',
        param: 'previous_response_id',
        code: 'previous_response_not_found',
      },
    });
  });

  test.each(['msg_ab12ffff', 'msg_other0000', 'nonsense', ''])('with a reference to %j', (id) => {
    expect(continueConversation({ input: [{ type: 'item_reference', id }] }, find)).toMatchObject({
      error: {
        status: 404,
        param: 'input',
        message: expect.stringContaining(`Item with id '${id}' not found.`) as string,
      },
    });
  });
});

test('only a client that says so keeps its answers to itself', () => {
  expect([wantsToBeKept({}), wantsToBeKept({ store: null }), wantsToBeKept({ store: true })]).toEqual([
    true,
    true,
    true,
  ]);
  expect(wantsToBeKept({ store: false })).toBe(false);
});

describe('items of the input', () => {
  const call = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' };
  const input = [
    { role: 'user', content: 'a' },
    call,
    { type: 'function_call_output', call_id: 'c', output: 'b' },
    { type: 'message', role: 'assistant', content: 'c', id: 'own' },
  ];
  const full: KeptResponse = keptResponse({ input }, { id: 'resp_1', output: [] });

  test('are kept in their full form', () => {
    expect(full.input).toEqual([
      {
        id: 'msg_1i0000',
        type: 'message',
        status: 'completed',
        role: 'user',
        content: [{ type: 'input_text', text: 'a' }],
      },
      { ...call, id: 'fc_1i0001' },
      { type: 'function_call_output', call_id: 'c', output: 'b', id: 'fc_1i0002' },
      {
        id: 'own',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'c' }],
      },
    ]);
  });

  const idsOf = (query: string) => {
    const page = listInputItems(full, new URLSearchParams(query));
    if ('error' in page) return page.error.message;
    const { data, first_id, last_id, has_more } = page.list as { data: JsonObject[]; [key: string]: unknown };
    expect([first_id, last_id]).toEqual([data[0]?.['id'] ?? null, data.at(-1)?.['id'] ?? null]);
    return [...data.map(({ id }) => id), has_more];
  };

  test.each<[string, unknown]>([
    ['', ['own', 'fc_1i0002', 'fc_1i0001', 'msg_1i0000', false]],
    ['order=asc&limit=2', ['msg_1i0000', 'fc_1i0001', true]],
    ['order=asc&limit=2&after=fc_1i0001', ['fc_1i0002', 'own', false]],
    ['after=msg_1i0000', [false]],
    ['after=nobody', 'after: is no item of this response'],
    ['limit=0', 'limit: must be a whole number from 1 to 100'],
    ['limit=many', 'limit: must be a whole number from 1 to 100'],
    ['order=up', 'order: must be asc or desc'],
  ])('are listed: %j', (query, expected) => {
    expect(idsOf(query)).toEqual(expected);
  });
});

test('what is gone is said in the words of the service', () => {
  expect(responseMissing('resp_x')).toEqual({
    message: "Response with id 'resp_x' not found.",
    status: 404,
    type: 'invalid_request_error',
  });
  expect(deletedResponse('resp_x')).toEqual({ id: 'resp_x', object: 'response', deleted: true });
});
