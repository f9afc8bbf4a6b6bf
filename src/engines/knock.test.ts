import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { knock } from './knock.ts';

async function listen(host: string) {
  const server = createServer();
  server.listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

const { signal } = new AbortController();

describe('a knock', () => {
  test.each(['127.0.0.1', '::1'])('is heard by who listens at %s, and leaves at once', async (host) => {
    const { server, port } = await listen(host);
    const visitor = once(server, 'connection');
    const url = new URL(`http://${host.includes(':') ? `[${host}]` : host}:${port}/v1`);
    expect(await knock(url, { timeoutMs: 5000, signal })).toBe(true);
    const [socket] = (await visitor) as [NodeJS.Socket];
    socket.resume();
    await once(socket, 'end');
  });

  test('is not heard where nobody listens', async () => {
    const { server, port } = await listen('127.0.0.1');
    server.close();
    await once(server, 'close');
    expect(await knock(new URL(`http://127.0.0.1:${port}`), { timeoutMs: 5000, signal })).toBe(false);
  });

  test('is not made for somebody who does not want to know any more', async () => {
    const { port } = await listen('127.0.0.1');
    const url = new URL(`http://127.0.0.1:${port}`);
    expect(await knock(url, { timeoutMs: 5000, signal: AbortSignal.abort() })).toBe(false);
    const ending = new AbortController();
    const heard = knock(url, { timeoutMs: 5000, signal: ending.signal });
    ending.abort();
    expect(await heard).toBe(false);
  });
});
