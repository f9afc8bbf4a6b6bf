import type { Socket } from 'node:net';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { onRawRequest, startRawServer, until } from '../../../test/raw-server.ts';
import type { RawServer } from '../../../test/raw-server.ts';
import {
  getRequest as get,
  okAnswer as ok,
  postRequest as post,
  recordCall,
  targetOf,
} from '../../../test/record-call.ts';
import type { Upstream } from '../upstream.ts';
import { createUpstream } from './upstream.ts';

let upstream: Upstream;
let server: RawServer | undefined;

beforeEach(() => {
  upstream = createUpstream({ tickMs: 10 });
});

afterEach(async () => {
  upstream.close();
  await server?.close();
  server = undefined;
});

async function serve(onConnection: (socket: Socket, index: number) => void): Promise<RawServer> {
  server = await startRawServer(onConnection);
  return server;
}

/** Every request gets the same answer. */
function serveText(answer: string): Promise<RawServer> {
  return serve((socket) => onRawRequest(socket, () => socket.write(answer)));
}

describe('reuse of sockets', () => {
  test('upstream reuses the socket that became idle last', async () => {
    const seen: number[] = [];
    const { url } = await serve((socket, index) =>
      onRawRequest(socket, () => {
        seen.push(index);
        socket.write(ok);
      }),
    );
    const target = targetOf(url);
    const both = [recordCall(upstream, target, get), recordCall(upstream, target, get)];
    const order: number[] = [];
    await Promise.all(both.map((record, index) => record.over.then(() => order.push(index))));
    await recordCall(upstream, target, get).over;
    await recordCall(upstream, target, get).over;
    expect(seen).toHaveLength(4);
    expect(seen[2]).toBe(seen[3]);
    expect(server?.sockets).toHaveLength(2);
  });

  test('upstream reuses the socket for a request sent from inside onEnd', async () => {
    const { url } = await serveText(ok);
    const target = targetOf(url);
    const { promise, resolve } = Promise.withResolvers<void>();
    recordCall(upstream, target, get, {
      onEnd: () => void recordCall(upstream, target, get).over.then(resolve),
    });
    await promise;
    expect(server?.sockets).toHaveLength(1);
  });

  test.each([
    ['the engine says close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok', {}],
    ['the answer is HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', {}],
    ['bytes follow the answer', `${ok}!`, {}],
    ['its idle limit is a second', ok.replace('Content', 'Keep-Alive: timeout=1\r\nContent'), {}],
    ['sockets may not idle', ok, { socketIdleMsMax: 0 }],
  ])('upstream closes the socket when %s', async (_, answer, change) => {
    const { url } = await serveText(answer);
    const target = targetOf(url, change);
    for (let round = 0; round < 2; round += 1) {
      const record = recordCall(upstream, target, get);
      await record.over;
      expect(record.body()).toBe('ok');
    }
    expect(server?.sockets).toHaveLength(2);
  });

  test('upstream sends any number of requests over one socket', async () => {
    const { url } = await serveText(ok);
    for (let round = 0; round < 120; round += 1) await recordCall(upstream, targetOf(url), get).over;
    expect(server?.sockets).toHaveLength(1);
  });

  test('upstream uses no socket again after an event stream, for engines that close it then', async () => {
    const stream = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 2\r\n\r\n\n\n';
    const { url } = await serveText(stream);
    await recordCall(upstream, targetOf(url), get).over;
    await recordCall(upstream, targetOf(url), get).over;
    expect(server?.sockets).toHaveLength(1);
    const closing = targetOf(url, { id: 'closing', socketEndsWithStream: true });
    await recordCall(upstream, closing, get).over;
    await recordCall(upstream, closing, get).over;
    expect(server?.sockets).toHaveLength(3);
  });

  test('upstream drops idle sockets after socketIdleMsMax', async () => {
    let nowMs = 0;
    const clocked = createUpstream({ tickMs: 10, clock: { nowMs: () => nowMs, epochMs: () => 0 } });
    const ended: number[] = [];
    const { url } = await serve((socket, index) => {
      onRawRequest(socket, () => socket.write(ok));
      socket.on('end', () => ended.push(index));
    });
    const target = targetOf(url);
    await recordCall(clocked, target, get).over;
    nowMs = 3_999;
    await recordCall(clocked, target, get).over;
    expect(server?.sockets).toHaveLength(1);
    nowMs = 3_999 + 4_000;
    await until('the idle socket is closed', () => ended.includes(0));
    await recordCall(clocked, target, get).over;
    expect(server?.sockets).toHaveLength(2);
    clocked.close();
  });

  test.each([
    ['bytes come', (socket: Socket) => socket.write('HTTP/1.1 408 Timeout\r\n\r\n')],
    ['its end comes', (socket: Socket) => socket.end()],
    ['a reset comes', (socket: Socket) => socket.resetAndDestroy()],
  ])('upstream drops an idle socket when %s on it', async (_, act) => {
    let closed = 0;
    const { url } = await serve((socket, index) => {
      onRawRequest(socket, () => socket.write(ok));
      if (index === 0) socket.on('close', () => (closed += 1)).on('end', () => (closed += 1));
    });
    const target = targetOf(url);
    await recordCall(upstream, target, get).over;
    act(server!.sockets[0]!);
    await until('the first socket is closed', () => closed > 0);
    const record = recordCall(upstream, target, get);
    await record.over;
    expect(record.events).toEqual(['head', 'data', 'end']);
    expect(server?.sockets).toHaveLength(2);
  });

  test('upstream repeats a request once on a new socket when the reused one breaks before an answer', async () => {
    const requests: number[] = [];
    const { url } = await serve((socket, index) => {
      let count = 0;
      onRawRequest(socket, () => {
        requests.push(index);
        count += 1;
        if (index === 0 && count === 2) socket.resetAndDestroy();
        else socket.write(ok);
      });
    });
    const target = targetOf(url);
    await recordCall(upstream, target, post).over;
    const record = recordCall(upstream, target, post);
    await record.over;
    expect(record.events).toEqual(['head', 'data', 'end']);
    expect(requests).toEqual([0, 0, 1]);
  });

  test('upstream reports the facts of the repeat when that breaks too', async () => {
    const requests: number[] = [];
    const { url } = await serve((socket, index) => {
      let count = 0;
      onRawRequest(socket, () => {
        requests.push(index);
        count += 1;
        if (index === 0 && count === 1) socket.write(ok);
        else socket.end();
      });
    });
    const target = targetOf(url);
    await recordCall(upstream, target, post).over;
    const record = recordCall(upstream, target, post);
    await record.over;
    expect(record.events).toEqual(['error']);
    expect(record.failure).toEqual({
      kind: 'reset',
      accepted: 'unknown',
      reason: 'closed before an answer',
    });
    expect(requests).toEqual([0, 0, 1]);
  });

  test('upstream reports a refused repeat as not accepted', async () => {
    const raw = await serve((socket) => onRawRequest(socket, () => socket.write(ok)));
    const target = targetOf(raw.url);
    await recordCall(upstream, target, post).over;
    const socket = raw.sockets[0]!;
    socket.removeAllListeners('data').once('data', () => void raw.close());
    const record = recordCall(upstream, target, post);
    await record.over;
    server = undefined;
    expect(record.failure).toEqual({ kind: 'connect', accepted: 'no', reason: 'ECONNREFUSED' });
  });

  test('upstream does not repeat a request after a part of the answer', async () => {
    const { url } = await serve((socket) => {
      let count = 0;
      onRawRequest(socket, () => {
        count += 1;
        if (count === 1) socket.write(ok);
        else socket.end('HTTP/1.1 2');
      });
    });
    const target = targetOf(url);
    await recordCall(upstream, target, post).over;
    const record = recordCall(upstream, target, post);
    await record.over;
    expect(record.failure).toMatchObject({ kind: 'reset', accepted: 'yes' });
    expect(server?.sockets).toHaveLength(1);
  });

  test('upstream does not repeat a request that it closes itself', async () => {
    let requests = 0;
    const { url } = await serve((socket) =>
      onRawRequest(socket, () => {
        requests += 1;
        if (requests === 1) socket.write(ok);
      }),
    );
    const target = targetOf(url);
    await recordCall(upstream, target, post).over;
    const record = recordCall(upstream, target, post);
    await until('the second request arrives', () => requests === 2);
    upstream.close();
    await record.over;
    expect(record.failure).toEqual({ kind: 'reset', accepted: 'unknown', reason: 'closed by the router' });
    expect(server?.sockets).toHaveLength(1);
  });

  test('upstream forgets a target: idle sockets close now, busy ones after their answer', async () => {
    const closed: number[] = [];
    const waiting: (() => void)[] = [];
    const { url } = await serve((socket, index) => {
      socket.on('end', () => closed.push(index));
      onRawRequest(socket, () => {
        if (index === 0) socket.write(ok);
        else waiting.push(() => socket.write(ok));
      });
    });
    const target = targetOf(url);
    const first = recordCall(upstream, target, get);
    const second = recordCall(upstream, target, get);
    await first.over;
    await until('the second request arrives', () => waiting.length === 1);
    upstream.forget('a');
    await until('the idle socket closes', () => closed.includes(0));
    expect(closed).toEqual([0]);
    waiting[0]?.();
    await second.over;
    expect(second.body()).toBe('ok');
    await until('the busy socket closes', () => closed.includes(1));
  });

  test('upstream opens new sockets when a target comes back with another url', async () => {
    const first = await startRawServer((socket) => onRawRequest(socket, () => socket.write(ok)));
    const { url } = await serveText(ok.replaceAll('ok', 'no'));
    await recordCall(upstream, targetOf(first.url), get).over;
    const record = recordCall(upstream, targetOf(url), get);
    await record.over;
    await first.close();
    expect(record.body()).toBe('no');
  });
});
