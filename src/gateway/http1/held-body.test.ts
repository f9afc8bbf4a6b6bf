import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startRawServer, until, type RawServer } from '../../../test/raw-server.ts';
import { okAnswer as ok, postRequest, recordCall, targetOf } from '../../../test/record-call.ts';
import type { Upstream, UpstreamRequest, UpstreamTarget } from '../upstream.ts';
import { createUpstream } from './upstream.ts';

const asking: UpstreamRequest = { ...postRequest, headers: ['Expect', '100-continue'] };
const goOn = 'HTTP/1.1 100 Continue\r\n\r\n';
const waits = { continueWaitMs: 60_000 };

let upstream: Upstream;
let server: RawServer;
/** All bytes of each connection. */
let seen: string[];

beforeEach(() => {
  upstream = createUpstream({ tickMs: 10 });
  seen = [];
});

afterEach(async () => {
  upstream.close();
  await server.close();
});

/** `onHead` is called when the head of the first request of a connection is there, `onBody` with each body. */
async function serve(act: { onHead?: (socket: Socket) => void; onBody?: (socket: Socket) => void }) {
  server = await startRawServer((socket, index) => {
    let bodies = 0;
    seen[index] = '';
    socket.on('data', (bytes: Buffer) => {
      const isFirst = seen[index] === '';
      seen[index] += bytes.toString('latin1');
      if (isFirst) act.onHead?.(socket);
      const count = seen[index]?.split('{"a":1}').length ?? 1;
      for (; bodies < count - 1; bodies += 1) act.onBody?.(socket);
    });
  });
}

const send = (change: Partial<UpstreamTarget> = waits, request = asking) =>
  recordCall(upstream, targetOf(server.url, change), request);

test('a body waits until the engine wants it, and its connection carries the next request', async () => {
  let wantsBody: (() => void) | undefined;
  await serve({
    onHead: (socket) => (wantsBody = () => socket.write(goOn)),
    onBody: (socket) => socket.write(ok),
  });
  const record = send();
  await until('the head is there', () => wantsBody !== undefined);
  expect(seen[0]).toMatch(/\r\nExpect: 100-continue\r\nContent-Length: 7\r\n\r\n$/);
  wantsBody?.();
  await record.over;
  expect(record).toMatchObject({ status: 200, events: ['head', 'data', 'end'] });
  const next = send(waits, postRequest);
  await next.over;
  expect([next.status, seen.length]).toEqual([200, 1]);
});

test('a body is sent to an engine that says nothing, after the time of its target', async () => {
  await serve({ onBody: (socket) => socket.write(ok) });
  const record = send({ continueWaitMs: 30 });
  await record.over;
  expect(record.status).toBe(200);
});

test('a body that the engine does not want stays here, and the connection is not used again', async () => {
  await serve({
    onHead: (socket) => socket.write('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n'),
  });
  const record = send();
  await record.over;
  expect(record).toMatchObject({ status: 417, events: ['head', 'end'] });
  const next = send();
  await next.over;
  expect(seen).toHaveLength(2);
  expect(seen.join('')).not.toContain('{"a":1}');
});

test('an engine that leaves before it has the body cannot have taken the request', async () => {
  await serve({ onHead: (socket) => socket.destroy() });
  const record = send();
  await record.over;
  expect(record.failure).toMatchObject({ kind: 'reset', accepted: 'no' });
});

test('an engine that leaves with the body may have taken the request', async () => {
  await serve({ onHead: (socket) => socket.write(goOn), onBody: (socket) => socket.destroy() });
  const record = send();
  await record.over;
  expect(record.failure).toMatchObject({ kind: 'reset', accepted: 'unknown' });
});

test('the wait for the first byte begins with the body', async () => {
  await serve({ onHead: (socket) => socket.write(goOn) });
  const record = send({ ...waits, firstByteTimeoutMs: 30 });
  await record.over;
  expect(record.failure).toEqual({ kind: 'timeout', accepted: 'unknown', reason: 'first byte timeout' });
});

test('a target without a wait gets the body at once', async () => {
  await serve({ onBody: (socket) => socket.write(ok) });
  const record = send({});
  await record.over;
  expect(record.status).toBe(200);
});
