import { once } from 'node:events';
import type { Socket } from 'node:net';

import { afterEach, describe, expect, test } from 'vitest';

import { startRawServer, until } from '../../../test/raw-server.ts';
import type { RawServer } from '../../../test/raw-server.ts';
import { openUpgrade } from './upgrade.ts';
import type { UpgradeAnswer } from './upgrade.ts';

const request = { method: 'GET', path: '/ws', headers: ['Upgrade', 'websocket'], body: undefined };
const limits = {
  connectTimeoutMs: 1_000,
  probeAfterMs: 15_000,
  idleTimeoutMs: 0,
  socketIdleMsMax: 0,
};

let server: RawServer | undefined;
let seen = '';

afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function ask(
  act: (socket: Socket) => void,
  signal = new AbortController().signal,
): Promise<UpgradeAnswer> {
  server = await startRawServer((socket) =>
    socket.once('data', (bytes: Buffer) => {
      seen = bytes.toString();
      act(socket);
    }),
  );
  const target = { id: 'a', url: server.url, firstByteTimeoutMs: 50, ...limits };
  return openUpgrade({ target, request, signal });
}

describe('openUpgrade', () => {
  test('hands over the socket and what came after the head', async () => {
    const answer = await ask((socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nfirst');
      socket.on('data', (bytes) => socket.write(bytes));
    });
    expect(seen).toBe(
      `GET /ws HTTP/1.1\r\nHost: ${server?.url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
    );
    if (answer.kind !== 'upgraded') throw new Error(answer.kind);
    expect(answer.headers).toEqual(['Upgrade', 'websocket']);
    expect(answer.rest.toString()).toBe('first');
    answer.socket.write('ping');
    const [echo] = (await once(answer.socket.resume(), 'data')) as [Buffer];
    expect(echo.toString()).toBe('ping');
    answer.socket.destroy();
  });

  test.each([
    ['with a length', 'HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope'],
    ['until close', 'HTTP/1.1 404 Not Found\r\n\r\nnope'],
  ])('gives a refusal %s whole', async (_, text) => {
    const answer = await ask((socket) => socket.end(text));
    expect(answer).toMatchObject({ kind: 'refused', status: 404 });
    if (answer.kind === 'refused') expect(answer.body.toString()).toBe('nope');
  });

  test.each([
    ['garbage', (socket: Socket) => socket.write('no\r\n\r\n'), 'protocol', 'yes'],
    ['an early end', (socket: Socket) => socket.end(), 'reset', 'unknown'],
    ['a reset', (socket: Socket) => socket.resetAndDestroy(), 'reset', 'unknown'],
    ['silence', () => {}, 'timeout', 'unknown'],
    [
      'an endless refusal',
      (socket: Socket) => socket.write(`HTTP/1.1 500 No\r\n\r\n${'a'.repeat(2_000_000)}`),
      'protocol',
      'yes',
    ],
  ])('reports %s', async (_, act, kind, accepted) => {
    const answer = await ask((socket) => void act(socket));
    expect(answer).toMatchObject({ kind: 'failed', failure: { kind, accepted } });
  });

  test('reports a refused connection', async () => {
    const raw = await startRawServer(() => {});
    await raw.close();
    const target = { id: 'a', url: raw.url, firstByteTimeoutMs: 0, ...limits };
    const answer = await openUpgrade({ target, request, signal: new AbortController().signal });
    expect(answer).toMatchObject({ failure: { kind: 'connect', accepted: 'no', reason: 'ECONNREFUSED' } });
  });

  test('ends when its signal is aborted', async () => {
    let ended = false;
    const controller = new AbortController();
    const answer = await ask((socket) => {
      socket.on('end', () => (ended = true)).resume();
      controller.abort();
    }, controller.signal);
    expect(answer).toMatchObject({ kind: 'failed', failure: { reason: 'aborted' } });
    await until('the engine sees the end', () => ended);
  });
});
