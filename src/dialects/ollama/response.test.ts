import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Ollama } from 'ollama';
import { afterEach, describe, expect, test } from 'vitest';
import {
  call,
  createContext,
  ended,
  finished,
  said,
  started,
  usage,
  writeStream,
} from '../../../test/dialects/ollama-answers.ts';
import type { AnswerEvent } from '../ir/answer.ts';
import type { JsonObject } from '../ir/request.ts';
import { AnswerFold, isEngineError } from '../ir/whole-answer.ts';
import { ollamaChat, ollamaGenerate } from './index.ts';

describe('a whole answer', () => {
  function fold(events: readonly AnswerEvent[], dialect = ollamaChat): JsonObject {
    const answer = new AnswerFold();
    for (const event of events) answer.add(event);
    const whole = answer.finish();
    if (isEngineError(whole)) throw new Error(whole.message);
    return dialect.writeAnswer(whole, createContext());
  }

  test('is the last line with all that was said', () => {
    const events = [
      started,
      { kind: 'reasoning', choice: 0, text: 'hm' } as const,
      said('Hi'),
      ...call(0, 'f', '{"a":1}'),
      ...call(1, 'g', '{"a"'),
      finished('toolCalls'),
      usage,
      ended,
    ];
    expect(fold(events)).toEqual({
      model: 'm:latest',
      created_at: '2026-08-21T10:00:00.100000000Z',
      message: {
        role: 'assistant',
        content: 'Hi{"name":"g","arguments":{"a"}',
        thinking: 'hm',
        tool_calls: [{ id: 'c0', function: { index: 0, name: 'f', arguments: { a: 1 } } }],
      },
      done: true,
      done_reason: 'stop',
      total_duration: 100_000_000,
      load_duration: 0,
      prompt_eval_count: 20,
      prompt_eval_duration: 0,
      eval_count: 3,
      eval_duration: 100_000_000,
    });
    expect(fold(events, ollamaGenerate)).toMatchObject({
      response: 'Hi{"name":"g","arguments":{"a"}',
      thinking: 'hm',
    });
  });

  test('is read as the events of a stream, and an error as a failure', () => {
    const read = (body: JsonObject): AnswerEvent[] => {
      const events: AnswerEvent[] = [];
      ollamaChat.readAnswer(body, (event) => events.push(event));
      return events;
    };
    expect(
      read({ model: 'm', message: { content: 'Hi' }, done: true, done_reason: 'length', eval_count: 1 }),
    ).toEqual([
      { kind: 'started', model: 'm' },
      said('Hi'),
      finished('length'),
      { kind: 'usage', usage: { inputTokens: 0, outputTokens: 1 } },
      ended,
    ]);
    expect(read({ choices: [] }).map(({ kind }) => kind)).toEqual(['failed']);
    expect(read({ error: 'no' })).toEqual([{ kind: 'failed', error: { message: 'no' } }]);
  });
});

describe('an error', () => {
  test.each<[number, string, object]>([
    [404, '{"error":"model \'x\' not found"}', { message: "model 'x' not found", status: 404 }],
    [502, '<html>Bad gateway</html>', { message: '<html>Bad gateway</html>', status: 502 }],
    [500, '', { message: 'The engine answered with status 500', status: 500 }],
    [
      400,
      '{"error":"the input length exceeds the context length"}',
      { message: 'the input length exceeds the context length', status: 400, overflow: {} },
    ],
    [
      400,
      '{"error":{"message":"bad","type":"invalid_request_error","param":"x","code":null}}',
      { message: 'bad', status: 400, type: 'invalid_request_error', param: 'x' },
    ],
    [500, '{"error":{}}', { message: 'The engine failed without saying why', status: 500 }],
  ])('with status %i and body %s is understood', (status, body, error) => {
    expect(ollamaChat.readError(status, body)).toEqual(error);
  });

  test('is a string for the client', () => {
    expect(ollamaChat.writeError({ message: 'boom', type: 't' }, 500)).toEqual({ error: 'boom' });
  });
});

describe('the official client', () => {
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });

  async function clientOf(body: string): Promise<Ollama> {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stops.push(() => server.close());
    return new Ollama({ host: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  }

  test('takes a stream of text and calls', async () => {
    const events = [
      started,
      said('Hé'),
      said('llo'),
      ...call(0, 'f', '{"a":1}'),
      finished('toolCalls'),
      usage,
      ended,
    ];
    const client = await clientOf(writeStream(events));
    const parts = [];
    for await (const part of await client.chat({ model: 'm', stream: true, messages: [] })) parts.push(part);
    expect(parts.map(({ message }) => message.content).join('')).toBe('Héllo');
    expect(parts.flatMap(({ message }) => message.tool_calls ?? [])).toMatchObject([
      { function: { name: 'f', arguments: { a: 1 } } },
    ]);
    expect(parts.at(-1)).toMatchObject({ done: true, done_reason: 'stop', eval_count: 3 });
  });

  test('throws at an error in the stream', async () => {
    const client = await clientOf(
      writeStream([started, said('a'), { kind: 'failed', error: { message: 'boom' } }]),
    );
    const read = async (): Promise<void> => {
      for await (const part of await client.generate({ model: 'm', stream: true, prompt: 'p' })) {
        expect(part.done).toBe(false);
      }
    };
    await expect(read()).rejects.toThrow('boom');
  });
});
