import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';

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
import { dialTarget } from './dial.ts';
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

describe('requests and answers', () => {
  test('upstream sends head and body and delivers head, body and end in order', async () => {
    const requests: string[] = [];
    const { url } = await serve((socket) =>
      onRawRequest(socket, (text) => {
        requests.push(text);
        socket.write(ok);
      }),
    );
    const record = recordCall(upstream, targetOf(url), { ...post, headers: ['X-A', 'b'] });
    await record.over;
    expect(requests).toEqual([
      `POST /v1/chat HTTP/1.1\r\nHost: ${url.host}\r\nX-A: b\r\nContent-Length: 7\r\n\r\n{"a":1}`,
    ]);
    expect(record).toMatchObject({ events: ['head', 'data', 'end'], status: 200 });
    expect(record.headers).toEqual(['Content-Length', '2']);
    expect(record.body()).toBe('ok');
  });

  test.each([
    ['a small body', [5]],
    ['a large body', [3_000_000]],
    ['a large body in pieces', [2_500_000, 30, 0, 1_000_000, 1]],
  ])('upstream sends %s complete', async (_, sizes) => {
    const all = Buffer.alloc(3_500_031, 'abcdefg');
    let at = 0;
    const pieces = sizes.map((bytes) => all.subarray(at, (at += bytes)));
    const body = all.toString('latin1', 0, at);
    const { url } = await serve((socket) =>
      onRawRequest(socket, (text) => socket.write(text.endsWith(`\r\n\r\n${body}`) ? ok : 'bad')),
    );
    const record = recordCall(upstream, targetOf(url), { ...post, body: pieces });
    await record.over;
    expect(record.body()).toBe('ok');
  });

  test('upstream delivers the same when the answer comes byte by byte', async () => {
    const answer =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x\r\n th\r\n0\r\n\r\n';
    const { url } = await serve((socket) =>
      onRawRequest(socket, () => {
        let at = 0;
        const next = (): void => {
          if (at < answer.length) socket.write(answer.charAt(at++), () => setImmediate(next));
        };
        next();
      }),
    );
    const record = recordCall(upstream, targetOf(url), post);
    await record.over;
    expect(record.body()).toBe('hello th');
    expect(record.events.at(-1)).toBe('end');
    await recordCall(upstream, targetOf(url), post).over;
    expect(server?.sockets).toHaveLength(1);
  });

  test('upstream ends a body without length at the end of the connection', async () => {
    const { url } = await serve((socket) =>
      onRawRequest(socket, () => socket.end('HTTP/1.1 200 OK\r\n\r\nabc')),
    );
    const record = recordCall(upstream, targetOf(url), post);
    await record.over;
    expect(record).toMatchObject({ events: ['head', 'data', 'end'] });
    expect(record.body()).toBe('abc');
  });

  test('upstream delivers an answer that comes before the body is written', async () => {
    const { url } = await serve((socket) => {
      socket.once('data', () => {
        socket.pause();
        socket.write('HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig', () =>
          socket.destroy(),
        );
      });
    });
    const record = recordCall(upstream, targetOf(url), { ...post, body: [Buffer.alloc(30_000_000)] });
    await record.over;
    expect(record).toMatchObject({ status: 413, events: ['head', 'data', 'end'] });
  });

  test('upstream reaches an IPv6 host', async () => {
    const { url } = await serveText(ok);
    let hostname = '';
    const dialed = createUpstream({
      dial: (asked, events) => {
        hostname = asked.url.hostname;
        return dialTarget({ url, probeAfterMs: 0 }, events);
      },
    });
    const record = recordCall(dialed, targetOf(new URL('http://[::1]:81')), get);
    await record.over;
    dialed.close();
    expect(record.status).toBe(200);
    expect(hostname).toBe('[::1]');
  });

  test.each([
    [{ path: '/a\r\nX: y' }],
    [{ headers: ['X', 'a\r\nY: z'] }],
    [{ method: 'GET / HTTP/1.1\r\n' }],
  ])('upstream refuses %j without a connection', async (change) => {
    const { url } = await serveText(ok);
    const record = recordCall(upstream, targetOf(url), { ...get, ...change });
    await record.over;
    expect(record.failure).toMatchObject({ kind: 'protocol', accepted: 'no' });
    expect(server?.sockets).toHaveLength(0);
  });

  test('upstream speaks TLS', async ({ skip }) => {
    const folder = mkdtempSync(join(tmpdir(), 'llamero-tls-'));
    const keyFile = join(folder, 'key.pem');
    const certFile = join(folder, 'cert.pem');
    try {
      const options = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost`;
      execFileSync('openssl', [...options.split(' '), '-keyout', keyFile, '-out', certFile], {
        stdio: 'ignore',
      });
    } catch {
      skip('openssl is not installed');
    }
    const cert = readFileSync(certFile);
    const tls = createTlsServer({ key: readFileSync(keyFile), cert }, (socket) =>
      onRawRequest(socket, () => socket.write(ok)),
    );
    rmSync(folder, { recursive: true });
    const port = await new Promise<number>((resolve) => {
      tls.listen(0, '127.0.0.1', () => resolve((tls.address() as { port: number }).port));
    });
    const target = targetOf(new URL(`https://127.0.0.1:${port}`));
    const trusting = createUpstream({
      dial: (_, { onReady, onBytes = () => {} }) =>
        connectTls({ port, host: '127.0.0.1', ca: cert, servername: 'localhost' }, onReady).on(
          'data',
          onBytes,
        ),
    });
    const trusted = recordCall(trusting, target, post);
    const untrusted = recordCall(upstream, target, post);
    await Promise.all([trusted.over, untrusted.over]);
    trusting.close();
    tls.close();
    expect(trusted.status).toBe(200);
    expect(untrusted.failure).toEqual({
      kind: 'connect',
      accepted: 'no',
      reason: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
  });
});

describe('failures', () => {
  test('upstream reports a refused connection', async () => {
    const raw = await startRawServer(() => {});
    await raw.close();
    const record = recordCall(upstream, targetOf(raw.url), post);
    await record.over;
    expect(record.failure).toEqual({ kind: 'connect', accepted: 'no', reason: 'ECONNREFUSED' });
  });

  test('upstream gives up a connection that does not come about', async () => {
    const never = createUpstream({ tickMs: 10, dial: () => new Socket() });
    const record = recordCall(never, targetOf(new URL('http://h'), { connectTimeoutMs: 30 }), post);
    await record.over;
    never.close();
    expect(record.failure).toEqual({ kind: 'connect', accepted: 'no', reason: 'connect timeout' });
  });

  test('upstream gives up when no first byte comes, and closes the socket', async () => {
    let ended = false;
    const { url } = await serve((socket) => socket.on('end', () => (ended = true)).resume());
    const record = recordCall(upstream, targetOf(url, { firstByteTimeoutMs: 30 }), post);
    await record.over;
    expect(record.failure).toEqual({ kind: 'timeout', accepted: 'unknown', reason: 'first byte timeout' });
    await until('the engine sees the end', () => ended);
  });

  test('upstream gives up when the answer stalls, but not while it flows or is paused', async () => {
    let flow: ((text: string) => void) | undefined;
    const { url } = await serve((socket) =>
      onRawRequest(socket, () => {
        flow = (text) => socket.write(text);
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n');
      }),
    );
    const target = targetOf(url, { idleTimeoutMs: 120, firstByteTimeoutMs: 120 });
    const record = recordCall(upstream, target, post);
    for (let round = 0; round < 10; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      flow?.('a');
    }
    expect(record.failure).toBeUndefined();
    record.call.pause();
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(record.failure).toBeUndefined();
    record.call.resume();
    await record.over;
    expect(record.failure).toEqual({ kind: 'timeout', accepted: 'yes', reason: 'idle timeout' });
  });

  test.each([
    ['a reset', (socket: Socket) => socket.resetAndDestroy(), 'ECONNRESET'],
    ['an end', (socket: Socket) => socket.end(), 'closed before the end of the answer'],
  ])('upstream reports %s in the middle of a body', async (_, act, reason) => {
    const { url } = await serve((socket) =>
      onRawRequest(socket, () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc')),
    );
    const record = recordCall(upstream, targetOf(url), post, { onData: () => act(server!.sockets[0]!) });
    await record.over;
    expect(record.events).toEqual(['head', 'data', 'error']);
    expect(record.failure).toEqual({ kind: 'reset', accepted: 'yes', reason });
  });

  test('upstream reports what is not HTTP', async () => {
    const { url } = await serveText('SSH-2.0-OpenSSH_9.2\r\n\r\n');
    const record = recordCall(upstream, targetOf(url), post);
    await record.over;
    expect(record.failure).toEqual({ kind: 'protocol', accepted: 'yes', reason: 'bad status line' });
  });

  test('upstream fails running requests when it is closed, and later ones at once', async () => {
    const { url } = await serve((socket) => socket.resume());
    const running = recordCall(upstream, targetOf(url), post);
    await until('the connection is there', () => server?.sockets.length === 1);
    upstream.close();
    const late = recordCall(upstream, targetOf(url), post);
    await Promise.all([running.over, late.over]);
    expect(running.failure).toMatchObject({ kind: 'reset', reason: 'closed by the router' });
    expect(late.failure).toEqual({ kind: 'connect', accepted: 'no', reason: 'closed by the router' });
  });
});

describe('pause and abort', () => {
  test('upstream holds a paused answer back, in the socket and not in memory', async () => {
    const total = 60_000_000;
    let flushed = false;
    const { url } = await serve((socket) =>
      onRawRequest(socket, () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
        socket.write(Buffer.alloc(total, 'x'), () => (flushed = true));
      }),
    );
    let bytes = 0;
    const record = recordCall(upstream, targetOf(url), post, {
      onData: ({ call, chunks }) => {
        bytes += chunks.splice(0).reduce((sum, chunk) => sum + chunk.length, 0);
        if (bytes < 1_000_000) return;
        call.pause();
      },
    });
    await until('the reader stops', () => bytes >= 1_000_000);
    const stoppedAt = bytes;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(bytes).toBe(stoppedAt);
    expect(flushed).toBe(false);
    const resumed = setInterval(() => record.call.resume(), 1);
    await record.over;
    clearInterval(resumed);
    expect(record.events.at(-1)).toBe('end');
    expect(bytes).toBe(total);
  });

  test('upstream holds pieces back that came in the same read as the pause', async () => {
    const pieces = Array.from({ length: 50 }, (_, index) => `2\r\n${String(index).padStart(2, '0')}\r\n`);
    const { url } = await serveText(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${pieces.join('')}0\r\n\r\n`,
    );
    const record = recordCall(upstream, targetOf(url), post, { onData: ({ call }) => call.pause() });
    for (let count = 1; count <= 50; count += 1) {
      await until('the next piece comes', () => record.chunks.length === count);
      await new Promise((resolve) => setImmediate(resolve));
      expect(record.chunks).toHaveLength(count);
      record.call.resume();
    }
    await record.over;
    expect(record.events.at(-1)).toBe('end');
  });

  test('upstream paused before the answer delivers nothing until it is resumed', async () => {
    let asked = false;
    const { url } = await serve((socket) =>
      onRawRequest(socket, () => {
        asked = true;
        socket.write(ok);
      }),
    );
    const record = recordCall(upstream, targetOf(url), post);
    record.call.pause();
    await until('the request arrives', () => asked);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(record.events).toEqual([]);
    record.call.resume();
    await record.over;
    expect(record.events).toEqual(['head', 'data', 'end']);
  });

  test('upstream aborted while connecting destroys the socket', async () => {
    const socket = new Socket();
    const never = createUpstream({ dial: () => socket });
    const record = recordCall(never, targetOf(new URL('http://h')), post);
    record.call.abort();
    expect(socket.destroyed).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(record.events).toEqual([]);
    never.close();
  });

  test.each([['before the answer'], ['in onHead'], ['in onData'], ['while paused']])(
    'upstream aborted %s closes the socket and says nothing more',
    async (phase) => {
      let ended = false;
      const { url } = await serve((socket) => {
        socket.on('end', () => (ended = true)).on('close', () => (ended = true));
        onRawRequest(socket, () => {
          if (phase === 'before the answer') record.call.abort();
          else socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n');
        });
      });
      const record = recordCall(upstream, targetOf(url), post, {
        onHead: ({ call }) => phase === 'in onHead' && call.abort(),
        onData: ({ call }) => {
          if (phase === 'in onData') call.abort();
          if (phase !== 'while paused') return;
          call.pause();
          setImmediate(() => call.abort());
        },
      });
      await until('the engine sees the end', () => ended);
      const expected = { 'before the answer': [], 'in onHead': ['head'] }[phase] ?? ['head', 'data'];
      expect(record.events).toEqual(expected);
      record.call.abort();
      record.call.resume();
    },
  );
});
