import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scanJsonObject } from '../base/json-scan.ts';
import { tryAskForUsage, type UsageRequest } from './usage-request.ts';

function ask(
  body: object,
  route: 'chat-completions' | 'embeddings' = 'chat-completions',
): UsageRequest | undefined {
  const bytes = Buffer.from(JSON.stringify(body));
  return tryAskForUsage({ route, body: bytes, object: scanJsonObject(bytes), doneRequired: true });
}

const chunk = (fields: object): string => `data: ${JSON.stringify(fields)}\n\n`;
const text = (content: string): string =>
  chunk({ id: 'c', choices: [{ index: 0, delta: { content }, finish_reason: null }], usage: null });
const usage = { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 };
const finished = chunk({ id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
const lastUsage = chunk({ id: 'c', choices: [], usage });
const done = 'data: [DONE]\n\n';

/** What the client gets, and what was learnt. */
function pass(stream: string, cuts: readonly number[] = []) {
  const answer = ask({ stream: true })?.answer;
  if (answer === undefined) throw new Error('Not asked');
  answer.head({ status: 200, headers: ['content-type', 'text/event-stream'], streamBegun: false });
  const bytes = Buffer.from(stream);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  let got = '';
  for (let index = 1; index < places.length; index += 1) {
    got += answer.push(bytes.subarray(places[index - 1], places[index]))?.toString() ?? '';
  }
  got += answer.end()?.toString() ?? '';
  return { got, result: answer.result() };
}

describe('a request for usage', () => {
  test('is added where the client did not ask', () => {
    expect(ask({ stream: true })?.body.join('')).toBe(
      '{"stream":true,"stream_options":{"include_usage":true}}',
    );
  });

  test('keeps the other options', () => {
    const body = ask({
      stream_options: { include_obfuscation: false, include_usage: false },
      stream: true,
    })?.body;
    expect(JSON.parse(body?.join('') ?? '')).toEqual({
      stream_options: { include_obfuscation: false, include_usage: true },
      stream: true,
    });
  });

  test('is left to a client that asks itself', () => {
    expect(ask({ stream: true, stream_options: { include_usage: true } })).toBeUndefined();
  });

  test('is made on no other route', () => {
    expect(ask({ stream: true }, 'embeddings')).toBeUndefined();
  });
});

describe('the answer to it', () => {
  test('reaches the client without the event of usage, which is accounted for', () => {
    const { got, result } = pass(text('a') + text('"usage"') + finished + lastUsage + done);
    expect(got).toBe(text('a') + text('"usage"') + finished + done);
    expect(result).toMatchObject({ usage: { inputTokens: 7, outputTokens: 2 }, complete: true });
  });

  test('keeps usage that comes with a choice', () => {
    const withChoice = chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage });
    expect(pass(withChoice + done).got).toBe(withChoice + done);
  });

  test('is the same however its bytes are cut', () => {
    const crlf = (events: string): string => events.replaceAll('\n', '\r\n');
    const whole = text('é'.repeat(3)) + text('b') + finished + lastUsage + done;
    const expected = text('é'.repeat(3)) + text('b') + finished + done;
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.boolean(), (cuts, isCrlf) => {
        const form = isCrlf ? crlf : (events: string) => events;
        expect(pass(form(whole), cuts).got).toBe(form(expected));
      }),
    );
  });
});
