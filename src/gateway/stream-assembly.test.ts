import { readdirSync, readFileSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { scanJsonObject } from '../base/json-scan.ts';
import type { RouteName } from '../domain/routes.ts';
import { toStreamedRequest, type StreamedRequest } from './stream-assembly.ts';
import type { AnswerTransform } from './answer-transform.ts';

/** Each case: a request, llama-server's whole answer, and its stream for the same request changed to ask for one. */
const folder = new URL('../../test/fixtures/assembly/', import.meta.url);
const recorded = (name: string): Buffer => readFileSync(new URL(name, folder));
const cases = readdirSync(folder)
  .filter((name) => name.endsWith('.sse'))
  .map((name) => name.slice(0, -'.sse'.length));

const routeOf = (name: string): RouteName => {
  if (name.startsWith('chat')) return 'chat-completions';
  if (name.startsWith('native')) return 'native-completion';
  return name.startsWith('infill') ? 'infill' : 'completions';
};

function ask(route: RouteName, body: Buffer): StreamedRequest | undefined {
  const notes = { progress: () => undefined };
  return toStreamedRequest({ route, body, object: scanJsonObject(body), notes });
}

function begin(
  route: RouteName,
  request: object | Buffer,
): { sent: Record<string, unknown>; assembly: AnswerTransform } {
  const body = Buffer.isBuffer(request) ? request : Buffer.from(JSON.stringify(request));
  const streamed = ask(route, body);
  if (streamed === undefined) throw new Error('Not asked for as a stream');
  const headers = ['Server', 'llama.cpp', 'Content-Type', 'text/event-stream'];
  streamed.assembly.head({ status: 200, headers, streamBegun: false });
  return {
    sent: JSON.parse(streamed.body.join('')) as Record<string, unknown>,
    assembly: streamed.assembly,
  };
}

function assemble(route: RouteName, request: object | Buffer, stream: Buffer | string): AssembledAnswer {
  const { assembly } = begin(route, request);
  assembly.push(Buffer.from(stream as string));
  return finish(assembly);
}

interface AssembledAnswer {
  readonly status: number;
  readonly body: Buffer;
}

function finish(assembly: AnswerTransform): AssembledAnswer {
  const body = assembly.end() ?? Buffer.alloc(0);
  return { status: assembly.answerHead.status, body };
}

/** Two runs differ in these only. Keeps the order of keys. */
const perRun = /^(created|id|id_slot|(prompt|predicted)_(ms|per_token_ms|per_second))$/;

function comparable(body: Buffer): string {
  return JSON.stringify(JSON.parse(body.toString()), (key, value: unknown) =>
    perRun.test(key) ? typeof value : value,
  );
}

const frame = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
const done = 'data: [DONE]\n\n';
const chatRequest = { messages: [{ role: 'user', content: 'hi' }] };
const choice = (delta: object, finishReason: string | null = null, index = 0): string =>
  frame({
    choices: [{ finish_reason: finishReason, index, delta }],
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
  });

describe('answers put together from recorded streams', () => {
  test('there are recorded cases of every route', () => {
    expect(new Set(cases.map(routeOf))).toEqual(
      new Set(['chat-completions', 'completions', 'native-completion', 'infill']),
    );
  });

  test.each(cases)('equal the whole answer of the engine: %s', (name) => {
    const answer = assemble(routeOf(name), recorded(`${name}.request.json`), recorded(`${name}.sse`));
    expect(answer.status).toBe(200);
    expect(comparable(answer.body)).toBe(comparable(recorded(`${name}.answer.json`)));
  });

  test.each(cases)('are an error when the stream is cut: %s', (name) => {
    const stream = recorded(`${name}.sse`);
    const request = recorded(`${name}.request.json`);
    const lastEvent = stream.lastIndexOf('data: ');
    for (const end of [lastEvent, lastEvent - 1, Math.floor(stream.length / 2), 0]) {
      const answer = assemble(routeOf(name), request, stream.subarray(0, end));
      expect(answer.status).toBe(502);
      expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { code: 'backend_protocol' } });
    }
  });

  test('are the same at any split', () => {
    for (const name of cases) {
      const stream = recorded(`${name}.sse`);
      const request = recorded(`${name}.request.json`);
      const whole = assemble(routeOf(name), request, stream).body.toString();
      fc.assert(
        fc.property(fc.array(fc.nat(stream.length), { maxLength: 20 }), (cuts) => {
          const { assembly } = begin(routeOf(name), request);
          let start = 0;
          for (const cut of [...cuts, stream.length].sort((a, b) => a - b)) {
            assembly.push(stream.subarray(start, cut));
            start = cut;
          }
          expect(finish(assembly).body.toString()).toBe(whole);
        }),
        { numRuns: 10 },
      );
    }
  });
});

describe('toStreamedRequest', () => {
  test('asks for a stream with usage and leaves every other byte', () => {
    const text = '{ "stream_options":{"x":1}, "seed":12345678901234567890,"stream" : false }';
    expect(ask('chat-completions', Buffer.from(text))?.body.join('')).toBe(
      '{ "stream_options":{"include_usage":true}, "seed":12345678901234567890,"stream" : true,"return_progress":true }',
    );
  });

  test('asks the native route for all fields', () => {
    const { sent } = begin('native-completion', { prompt: 'a', response_fields: ['content'] });
    expect(sent).toEqual({ prompt: 'a', stream: true, return_progress: true });
  });

  test.each<[RouteName, object]>([
    ['chat-completions', { stream: true }],
    ['chat-completions', { logprobs: true }],
    ['chat-completions', { stop: ['a'] }],
    ['chat-completions', { verbose: true }],
    ['completions', { stop: 'a' }],
    ['completions', { logprobs: 2 }],
    ['native-completion', { n_probs: 1 }],
    ['embeddings', {}],
    ['messages', {}],
    ['responses', {}],
  ])('leaves %s %j alone', (route, request) => {
    expect(ask(route, Buffer.from(JSON.stringify(request)))).toBeUndefined();
  });

  test('takes requests that switch these things off', () => {
    const off = { stream: null, logprobs: false, stop: [], verbose: false, n_probs: 0 };
    expect(begin('chat-completions', off).sent).toMatchObject({ stream: true });
    expect(begin('completions', { stop: '', logprobs: null }).sent).toMatchObject({ stream: true });
  });

  test('leaves a body alone that is no JSON object', () => {
    expect(ask('chat-completions', Buffer.from('[1]'))).toBeUndefined();
  });
});

describe('AnswerTransform', () => {
  test.each([
    [400, ['Content-Type', 'application/json; charset=utf-8']],
    [200, ['Content-Type', 'application/json']],
    [200, []],
  ])('is not for an answer with status %i and headers %j', (status, headers) => {
    const { assembly } = begin('chat-completions', chatRequest);
    expect(assembly.head({ status, headers, streamBegun: false })).toBe(false);
    const stream = ['content-type', 'text/event-stream; charset=utf-8'];
    expect(assembly.head({ status: 200, headers: stream, streamBegun: false })).toBe(true);
  });

  test('gives the error of a stream as the engine would without one', () => {
    const error = { code: 500, message: 'Context size has been exceeded.', type: 'server_error' };
    const answer = assemble('chat-completions', chatRequest, choice({ content: 'a' }) + frame({ error }));
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.body.toString())).toEqual({ error });
    const refused = assemble('chat-completions', chatRequest, frame({ error: { ...error, code: 400 } }));
    expect(refused.status).toBe(400);
    const odd = assemble('completions', { prompt: 'a' }, frame({ error: { code: 'x' } }));
    expect(odd.status).toBe(500);
  });

  test.each([
    [
      'plain text after the events',
      `${choice({ content: 'a' }, 'stop')}proxy error: Failed to read connection`,
    ],
    ['an end mark without a finished choice', choice({ content: 'a' }) + done],
    ['an end mark alone', done],
    ['a choice that is missing its end', choice({}, 'stop', 0) + choice({ content: 'a' }, null, 1) + done],
    ['an event that is no JSON', `${choice({}, 'stop')}data: {"a\n\n${done}`],
  ])('refuses %s', (_, stream) => {
    expect(assemble('chat-completions', chatRequest, stream).status).toBe(502);
  });

  test('joins several tool calls', () => {
    const call = (index: number, fields: object): string => choice({ tool_calls: [{ index, ...fields }] });
    const stream = [
      choice({ role: 'assistant', content: null }),
      call(0, { id: 'a', type: 'function', function: { name: 'first', arguments: '{' } }),
      call(0, { function: { arguments: '}' } }),
      call(1, { id: 'b', type: 'function', function: { name: 'second', arguments: '' } }),
      call(1, { function: { arguments: '{"x":1}' } }),
      choice({}, 'tool_calls'),
      done,
    ].join('');
    const { choices } = JSON.parse(assemble('chat-completions', chatRequest, stream).body.toString()) as {
      choices: unknown;
    };
    expect(choices).toEqual([
      {
        finish_reason: 'tool_calls',
        index: 0,
        message: {
          role: 'assistant',
          content: '',
          tool_calls: [
            { type: 'function', function: { name: 'first', arguments: '{}' }, id: 'a' },
            { type: 'function', function: { name: 'second', arguments: '{"x":1}' }, id: 'b' },
          ],
        },
      },
    ]);
  });

  test('takes usage and timings of the first choice', () => {
    const end = (index: number): string =>
      choice({}, 'stop', index) +
      frame({ choices: [], usage: { completion_tokens: index }, timings: { predicted_n: index } });
    for (const stream of [end(0) + end(1), end(1) + end(0)]) {
      const answer = assemble('chat-completions', { ...chatRequest, n: 2 }, stream + done);
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        usage: { completion_tokens: 0 },
        timings: { predicted_n: 0 },
      });
    }
  });
});
