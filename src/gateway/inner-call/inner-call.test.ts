import { describe, expect, test } from 'vitest';
import type { LlameroError } from '../../domain/errors.ts';
import { createRequestTable } from '../../store/requests.ts';
import { systemClock } from '../../base/clock.ts';
import { headerValue } from '../headers.ts';
import type { Inbound } from '../inbound.ts';
import { callInside, readWhole, type InnerCall } from './inner-call.ts';

const requests = createRequestTable({ recentMax: 10, clock: systemClock });

/** A life of a request that does what the test says. */
function begun(live: (inbound: Inbound) => void = () => {}) {
  const seen: Inbound[] = [];
  const begin = (inbound: Inbound) => {
    const { id, route, path, flow, parent } = inbound;
    seen.push(inbound);
    live(inbound);
    return requests.open({ id, route: route.name, method: 'POST', path, flow, parent }, () => {});
  };
  return { begin, seen };
}

function callOf(more: Partial<InnerCall> = {}): InnerCall {
  return {
    path: '/v1/chat/completions',
    body: { model: 'm' },
    caller: { flow: 'alice', key: undefined, request: { rawHeaders: [], remoteAddress: '10.0.0.1' } },
    parent: { id: 'outer', purpose: 'answer' },
    signal: new AbortController().signal,
    ...more,
  };
}

const chunkOf = (bytes: number) => Buffer.alloc(bytes, 'x');

describe('a call inside', () => {
  test('arrives as a request of its caller that names its parent', async () => {
    const { begin, seen } = begun(({ response }) => response.end('{}'));
    const rawHeaders = ['X-Session', 's1', 'Content-Length', '999', 'Accept-Encoding', 'br'];
    const { record } = await callInside(
      begin,
      callOf({
        caller: { flow: 'alice', key: undefined, request: { rawHeaders, remoteAddress: '10.0.0.1' } },
      }),
    );
    const [inbound] = seen;
    expect(inbound).toMatchObject({ flow: 'alice', parent: { id: 'outer', purpose: 'answer' } });
    expect(inbound?.route.name).toBe('chat-completions');
    expect(inbound?.request.rawHeaders).toEqual(['X-Session', 's1', 'content-type', 'application/json']);
    expect(record.parent).toEqual({ id: 'outer', purpose: 'answer' });
    const body = await new Promise((resolve) => {
      inbound?.request.readBody(100, (_error, bytes) => resolve(bytes.toString()));
    });
    expect(body).toBe('{"model":"m"}');
  });

  test('tells a body that is over the limit as a client would be told', async () => {
    const { begin, seen } = begun(({ response }) => response.end());
    await callInside(begin, callOf({ body: { text: 'x'.repeat(100) } }));
    let told: LlameroError | undefined;
    seen[0]?.request.readBody(50, (error) => (told = error));
    expect(told?.code).toBe('request_too_large');
  });

  test('gives status, headers and the whole of an answer', async () => {
    const { begin } = begun(({ response }) => {
      response.setHeader('x-left', '3');
      response.writeHead(404, ['content-type', 'application/json']);
      response.write('{"error":');
      response.end('"gone"}');
    });
    const answer = await callInside(begin, callOf());
    expect(answer.status).toBe(404);
    expect(headerValue(answer.headers, 'x-left')).toBe('3');
    expect((await readWhole(answer, 100)).toString()).toBe('{"error":"gone"}');
  });

  test('refuses an answer that is longer than wanted, and leaves it', async () => {
    let left = 0;
    const { begin } = begun(({ response }) => {
      response.onLeft(() => (left += 1));
      response.write(chunkOf(60));
      response.write(chunkOf(60));
    });
    const { begin: withHead } = begun((inbound) => {
      inbound.response.writeHead(200, []);
      begin(inbound);
    });
    const answer = await callInside(withHead, callOf());
    await expect(readWhole(answer, 100)).rejects.toThrow('longer than 100 bytes');
    expect(left).toBe(1);
  });

  test('gives chunks as they come', async () => {
    let inbound: Inbound | undefined;
    const { begin } = begun((one) => {
      inbound = one;
      one.response.writeHead(200, []);
    });
    const { body } = await callInside(begin, callOf());
    const chunks = body[Symbol.asyncIterator]();
    const first = chunks.next();
    inbound?.response.write('one');
    expect((await first).value?.toString()).toBe('one');
    const second = chunks.next();
    inbound?.response.end('two');
    expect((await second).value?.toString()).toBe('two');
    expect((await chunks.next()).done).toBe(true);
  });

  test('holds the engine back while nobody reads, and lets it go on when enough is read', async () => {
    let inbound: Inbound | undefined;
    let drained = 0;
    const { begin } = begun((one) => {
      inbound = one;
      one.response.writeHead(200, []);
    });
    const { body } = await callInside(begin, callOf());
    const response = inbound?.response;
    expect(response?.write(chunkOf(40_000))).toBe(true);
    expect(response?.write(chunkOf(40_000))).toBe(false);
    expect(response?.writableNeedDrain).toBe(true);
    response?.onDrain(() => (drained += 1));
    const chunks = body[Symbol.asyncIterator]();
    await chunks.next();
    expect(drained).toBe(1);
    expect(response?.writableNeedDrain).toBe(false);
    await chunks.next();
    expect(drained).toBe(1);
    await chunks.return?.();
  });

  test('throws where an answer breaks off, after what came before', async () => {
    const { begin } = begun(({ response }) => {
      response.writeHead(200, []);
      response.write('half');
      response.breakOff(0);
    });
    const { body } = await callInside(begin, callOf());
    const chunks = body[Symbol.asyncIterator]();
    expect((await chunks.next()).value?.toString()).toBe('half');
    await expect(chunks.next()).rejects.toThrow('broke off');
  });

  test('ends when its signal is aborted before the head, with the reason', async () => {
    let left = 0;
    const ending = new AbortController();
    const { begin } = begun(({ response }) => response.onLeft(() => (left += 1)));
    const answer = callInside(begin, callOf({ signal: ending.signal }));
    ending.abort(new Error('the client left'));
    await expect(answer).rejects.toThrow('the client left');
    expect(left).toBe(1);
  });

  test('ends when its signal is aborted in the middle, and passes on nothing more', async () => {
    let left = 0;
    const ending = new AbortController();
    const { begin } = begun(({ response }) => {
      response.onLeft(() => (left += 1));
      response.writeHead(200, []);
      response.write('half');
    });
    const { body } = await callInside(begin, callOf({ signal: ending.signal }));
    ending.abort(new Error('the client left'));
    await expect(body[Symbol.asyncIterator]().next()).rejects.toThrow('the client left');
    expect(left).toBe(1);
  });

  test('is left when its reader stops reading', async () => {
    let left = 0;
    const { begin } = begun(({ response }) => {
      response.onLeft(() => (left += 1));
      response.writeHead(200, []);
      response.write('one');
      response.write('two');
    });
    const { body } = await callInside(begin, callOf());
    for await (const chunk of body) if (chunk.length > 0) break;
    expect(left).toBe(1);
  });

  test('is not left by an abort after its end', async () => {
    let left = 0;
    const ending = new AbortController();
    const { begin } = begun(({ response }) => {
      response.onLeft(() => (left += 1));
      response.end('all');
    });
    const answer = await callInside(begin, callOf({ signal: ending.signal }));
    ending.abort();
    expect((await readWhole(answer, 10)).toString()).toBe('all');
    expect(left).toBe(0);
  });

  test('does not begin when its signal is aborted already', async () => {
    const { begin, seen } = begun();
    await expect(callInside(begin, callOf({ signal: AbortSignal.abort(new Error('over')) }))).rejects.toThrow(
      'over',
    );
    expect(seen).toHaveLength(0);
  });
});
