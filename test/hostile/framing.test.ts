/**
 * Where a message ends, in all the ways in which two readers could see it differently: whatever comes in, an engine sees one
 * sound request or none, and a client the answer to its own request or an error.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { soundAnswer, startRawEngine, type RawEngine } from '../fake-engine/raw-engine.ts';
import { connectRaw } from '../integration/raw-client.ts';
import { startRouter, type TestRouter } from '../integration/start-router.ts';
import { statusOf } from './send-head.ts';

const path = '/v1/chat/completions';
const body = '{"model":"m","messages":[]}';
const length = `Content-Length: ${body.length}`;
const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

let engine: RawEngine;
let router: TestRouter;
beforeAll(async () => {
  engine = await startRawEngine();
  // Each of these answers would count against the engine.
  const probes = { interval: '100ms', timeout: 2, breakerFailures: 1000 };
  router = await startRouter({ backends: { one: { url: engine.url } }, probes });
  await router.ready();
});
afterAll(async () => {
  await router[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
});
beforeEach(() => {
  engine.asked.length = 0;
  engine.answer = (socket) => void socket.write(soundAnswer('{"sound":true}'));
});

/** Sends the bytes and gives what came back when the connection ended, or when one answer is whole. */
async function exchange(bytes: string): Promise<string> {
  using client = await connectRaw(router.url);
  client.socket.write(Buffer.from(bytes, 'latin1'));
  return await client.receives(/\r\n\r\n(?:[\s\S]*}|(?<=^HTTP\/1\.1 [23]0[0-9][\s\S]*))/);
}

const ask = (headers: string, rest: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: router\r\n${headers}\r\n\r\n${rest}`;

describe('a request', () => {
  test.each([
    ['two lengths', ask(`${length}\r\nContent-Length: 0`, body)],
    ['the same length twice', ask(`${length}\r\n${length}`, body)],
    ['a list of lengths', ask(`${length}, ${body.length}`, body)],
    ['a length with a sign', ask(`Content-Length: +${body.length}`, body)],
    ['a length and chunks', ask(`${length}\r\nTransfer-Encoding: chunked`, chunks)],
    ['chunks and a length', ask(`Transfer-Encoding: chunked\r\nContent-Length: 4`, chunks)],
    ['chunks that are not the last coding', ask('Transfer-Encoding: chunked, identity', chunks)],
    ['an unknown coding', ask('Transfer-Encoding: xchunked', chunks)],
    ['a coding behind a control character', ask('Transfer-Encoding: \x0bchunked', chunks)],
    ['a coding on a folded line', ask('Transfer-Encoding:\r\n chunked', chunks)],
    ['a blank before the colon', ask(`Content-Length : ${body.length}`, body)],
    ['a bare line feed in its head', ask(`X: 1\nTransfer-Encoding: chunked\r\n${length}`, body)],
    ['a bare carriage return in its head', ask(`X: 1\rContent-Length: 3\r\n${length}`, body)],
    [
      'a line feed in a chunk extension',
      ask('Transfer-Encoding: chunked', `1b;a=b\nxx\r\n${body}\r\n0\r\n\r\n`),
    ],
    [
      'a chunk larger than any',
      ask('Transfer-Encoding: chunked', `fffffffffffffffff\r\n${body}\r\n0\r\n\r\n`),
    ],
    [
      'a length in its trailer',
      ask('Transfer-Encoding: chunked', `${chunks.slice(0, -2)}Content-Length: 5\r\n\r\n`),
    ],
  ])('with %s reaches no engine, and nothing after it on its connection does', async (_, bytes) => {
    using client = await connectRaw(router.url);
    client.socket.write(Buffer.from(`${bytes}GET /smuggled HTTP/1.1\r\nHost: router\r\n\r\n`, 'latin1'));
    const answer = await client.all();
    expect(statusOf(answer)).toBe(400);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(engine.asked).toEqual([]);
  });

  test.each([
    ['chunks with extensions', ask('Transfer-Encoding: chunked', `1b;a="b"\r\n${body}\r\n0;c\r\n\r\n`)],
    ['chunks after a tab', ask('Transfer-Encoding:\tchunked', chunks)],
    ['a change of protocols', ask(`Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n${length}`, body)],
    ['a length that it calls its own', ask(`Connection: content-length\r\n${length}`, body)],
  ])('with %s reaches the engine with one length', async (_, bytes) => {
    expect(statusOf(await exchange(bytes))).toBe(200);
    expect(engine.asked).toHaveLength(1);
    const [head = '', sent] = engine.asked[0]?.split('\r\n\r\n') ?? [];
    expect([head.match(/content-length|transfer-encoding|upgrade/gi), sent]).toEqual([
      ['Content-Length'],
      body,
    ]);
  });

  test('keeps to itself what any of its Connection headers names', async () => {
    const hop = 'Connection: keep-alive\r\nConnection: x-hop\r\nX-Hop: 1\r\nX-Kept: 1';
    expect(statusOf(await exchange(ask(`${hop}\r\n${length}`, body)))).toBe(200);
    expect(engine.asked[0]?.match(/x-hop|x-kept/gi)).toEqual(['X-Kept']);
  });
});

const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL';
const answerWith = (headers: string, rest: string, status = '200 OK'): string =>
  `HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${rest}`;

describe('an answer', () => {
  test.each([
    ['two lengths', answerWith('Content-Length: 2\r\nContent-Length: 4', '{}EVIL')],
    ['the same length twice', answerWith('Content-Length: 2\r\nContent-Length: 2', '{}EVIL')],
    [
      'a length and chunks',
      answerWith('Content-Length: 2\r\nTransfer-Encoding: chunked', '4\r\nEVIL\r\n0\r\n\r\n'),
    ],
    [
      'another coding before its chunks',
      answerWith('Transfer-Encoding: identity, chunked', '4\r\nEVIL\r\n0\r\n\r\n'),
    ],
    ['a folded line', answerWith('X: a\r\n EVIL: b\r\nContent-Length: 2', '{}')],
    ['a line feed in a header', answerWith('X: a\nSet-Cookie: EVIL\r\nContent-Length: 2', '{}')],
    ['a carriage return in a header', answerWith('X: a\rSet-Cookie: EVIL\r\nContent-Length: 2', '{}')],
    ['a blank before the colon', answerWith('Content-Length : 2', '{}EVIL')],
    ['a chunk larger than any', answerWith('Transfer-Encoding: chunked', 'ffffffffffffff1\r\nEVIL')],
    ['a switch of protocols', answerWith('Upgrade: x', evil, '101 Switching Protocols')],
    ['a status that is none', answerWith('Content-Length: 4', 'EVIL', '600 X')],
    ['no end of interim answers', answerWith('X: EVIL', '', '102 Processing').repeat(100)],
    ['a head without an end', `HTTP/1.1 200 OK\r\nX: ${'EVIL'.repeat(20_000)}`],
  ])('with %s is none', async (_, bytes) => {
    engine.answer = (socket) => void socket.write(Buffer.from(bytes, 'latin1'));
    const answer = await exchange(ask(length, body));
    expect([statusOf(answer), answer.includes('"backend_protocol"')]).toEqual([502, true]);
    expect(answer).not.toContain('EVIL');
  });

  test.each([
    ['more than its length', answerWith('Content-Length: 2', `{}${evil}`)],
    ['a body where none may be', answerWith('Content-Length: 4', 'EVIL', '204 No Content')],
    [
      'chunks where none may be',
      answerWith('Transfer-Encoding: chunked', '4\r\nEVIL\r\n0\r\n\r\n', '204 No Content'),
    ],
    [
      'a body after the answer to a question of validity',
      answerWith('Content-Length: 4', 'EVIL', '304 Not Modified'),
    ],
    ['a trailer', answerWith('Transfer-Encoding: chunked', '2\r\n{}\r\n0\r\nSet-Cookie: EVIL\r\n\r\n')],
  ])('with %s ends where it should, and the next one is its own', async (_, bytes) => {
    engine.answer = (socket) => {
      socket.write(Buffer.from(bytes, 'latin1'));
      engine.answer = (later) => void later.write(soundAnswer('{"sound":true}'));
    };
    expect(await exchange(ask(length, body))).not.toContain('EVIL');
    expect(await exchange(ask(length, body))).toMatch(/\{"sound":true\}$/);
  });

  test('without a body tells no length of one', async () => {
    engine.answer = (socket) => void socket.write(answerWith('Content-Length: 4', '', '204 No Content'));
    expect(await exchange(ask(length, body))).not.toMatch(/content-length/i);
  });

  test('keeps to itself what any of its Connection headers names', async () => {
    const hop = 'Connection: close\r\nConnection: x-hop\r\nX-Hop: 1\r\nContent-Length: 2';
    engine.answer = (socket) => void socket.end(answerWith(hop, '{}'));
    expect(await exchange(ask(length, body))).not.toMatch(/x-hop/i);
  });

  test.each([1, 4, 60, 130, 200])(
    'that is a stream and ends after %i bytes with its connection looks whole to no client',
    async (bytes) => {
      const event = (delta: object, end: string | null): string =>
        `data: ${JSON.stringify({ id: 'x', choices: [{ index: 0, delta, finish_reason: end }] })}\n\n`;
      const stream = `${event({ content: 'one' }, null)}${event({ content: 'two' }, null)}${event({}, 'stop')}`;
      const head = 'Content-Type: text/event-stream\r\nConnection: close';
      engine.answer = (socket) => void socket.end(answerWith(head, stream.slice(0, bytes)));
      const streaming = body.replace('{', '{"stream":true,');
      const options = { method: 'POST', body: streaming };
      const whole = await fetch(`${router.url}${path}`, options)
        .then(
          async (response) => response.ok && (await response.text()),
          () => false,
        )
        .catch(() => false);
      expect(whole).toBe(false);
    },
  );
});
