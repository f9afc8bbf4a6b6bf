import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createPortPool, isPortFree } from './ports.ts';

async function listen(host: string): Promise<{ server: Server; port: number }> {
  const server = createServer();
  server.listen({ port: 0, host });
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

describe('port pool', () => {
  test('hands out ports from the start port upwards and each only once', async () => {
    const pool = createPortPool({ startPort: 5800, isFree: () => Promise.resolve(true) });
    const ports = await Promise.all(Array.from({ length: 50 }, () => pool.reserve()));
    expect(ports.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => 5800 + index));
  });

  test('hands out a port again only after it was released', async () => {
    const pool = createPortPool({ startPort: 5800, isFree: () => Promise.resolve(true) });
    expect(await pool.reserve()).toBe(5800);
    expect(await pool.reserve()).toBe(5801);
    pool.release(5800);
    expect(await pool.reserve()).toBe(5800);
    expect(await pool.reserve()).toBe(5802);
  });

  test('skips ports in use, and takes them once they are free', async () => {
    const busy = new Set([5800, 5802]);
    const pool = createPortPool({ startPort: 5800, isFree: (port) => Promise.resolve(!busy.has(port)) });
    expect(await pool.reserve()).toBe(5801);
    expect(await pool.reserve()).toBe(5803);
    busy.clear();
    expect(await pool.reserve()).toBe(5800);
  });

  test('rejects when no port is left', async () => {
    const pool = createPortPool({ startPort: 5800, lastPort: 5800, isFree: () => Promise.resolve(true) });
    await pool.reserve();
    await expect(pool.reserve()).rejects.toThrow('No port is free between 5800 and 5800');
  });
});

describe('isPortFree', () => {
  test.each(['127.0.0.1', '0.0.0.0'])('sees a listener on %s, and that it has gone', async (host) => {
    const { server, port } = await listen(host);
    expect(await isPortFree(port)).toBe(false);
    server.close();
    await once(server, 'close');
    expect(await isPortFree(port)).toBe(true);
  });
});
