import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as turnEnds } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { ClientResponse } from '../client.ts';
import { BodyMemory } from './body-memory.ts';
import { ClientConnection, type TimeLimits } from './connection.ts';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

const limits: TimeLimits = { firstByteMs: 2000, wholeRequestMs: 3000, idleMs: 5000 };

/** One connection whose ticks are the test's. */
async function connected() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  open.push(() => (server.close(), client.destroy(), socket.destroy()));
  client.on('error', () => {});
  const responses: ClientResponse[] = [];
  let wanted: (() => void) | undefined;
  const connection = new ClientConnection(
    socket,
    {
      headBytesMax: () => 1000,
      takes: () => true,
      closing: () => false,
      request(request, response) {
        request.readBody(1000, () => {});
        responses.push(response);
        wanted?.();
      },
      handOver() {},
      closed() {},
      bodyMemory: new BodyMemory(),
    },
    { keepAliveS: 5 },
  );
  return {
    socket,
    send: async (bytes: string) => {
      const next = new Promise<void>((resolve) => (wanted = resolve));
      client.write(bytes);
      await next;
      return responses.at(-1);
    },
    tick: () => connection.tick(1000, limits),
  };
}

const whole = 'GET / HTTP/1.1\r\nHost: r\r\n\r\n';
const half = 'POST / HTTP/1.1\r\nHost: r\r\nContent-Length: 9\r\n\r\nhalf';

describe('a connection', () => {
  test('is too slow when no first byte comes', async () => {
    const { tick } = await connected();
    expect([tick(), tick(), tick()]).toEqual([undefined, undefined, 'slow']);
  });

  test('is too slow when the rest of a body does not come', async () => {
    const { tick, send } = await connected();
    await send(half);
    expect([tick(), tick(), tick(), tick()]).toEqual([undefined, undefined, undefined, 'slow']);
  });

  test('is closed without a word when an answer to the rest has begun', async () => {
    const { tick, send, socket } = await connected();
    const response = await send(half);
    response?.writeHead(200, []);
    expect([tick(), tick(), tick(), tick()]).toEqual([undefined, undefined, undefined, undefined]);
    expect(socket.destroyed).toBe(true);
  });

  test('is closed when it is idle for too long after an answer, not before', async () => {
    const { tick, send, socket } = await connected();
    const response = await send(whole);
    for (let ticks = 0; ticks < 20; ticks += 1) expect(tick()).toBeUndefined();
    expect(socket.destroyed).toBe(false);
    response?.end('done');
    await turnEnds();
    for (let ticks = 0; ticks < 5; ticks += 1) tick();
    expect(socket.destroyed).toBe(false);
    tick();
    expect(socket.destroyed).toBe(true);
  });
});
