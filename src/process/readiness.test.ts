import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { createCheckUrl, waitUntilReady } from './readiness.ts';

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  server.listen({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/health`);
}

const settings = { clock: systemClock, intervalMs: 20, signal: new AbortController().signal };

describe('waitUntilReady', () => {
  test('goes on through other statuses until a 2xx', async () => {
    const statuses = [503, 404, 302, 204];
    const seen: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      seen.push(request.url);
      response.writeHead(statuses[seen.length - 1] ?? 500).end();
    });
    expect(await waitUntilReady({ ...settings, url, timeoutMs: 5000 })).toEqual({ type: 'ready' });
    expect(seen).toEqual(['/health', '/health', '/health', '/health']);
  });

  test('is ready at the status line: a body that never ends does not matter', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200).write('x');
    });
    expect(await waitUntilReady({ ...settings, url, timeoutMs: 5000 })).toEqual({ type: 'ready' });
  });

  test('goes on after a probe without an answer', async () => {
    let probes = 0;
    const url = await serve((_, response) => {
      probes += 1;
      if (probes > 1) response.end();
    });
    const options = { ...settings, url, timeoutMs: 5000, probeTimeoutMs: 30 };
    expect(await waitUntilReady(options)).toEqual({ type: 'ready' });
    expect(probes).toBeGreaterThanOrEqual(2);
  });

  test('gives up at its deadline even while a probe hangs, with the last problem', async () => {
    const url = await serve(() => undefined);
    const startedMs = performance.now();
    const result = await waitUntilReady({ ...settings, url, timeoutMs: 80, probeTimeoutMs: 60_000 });
    expect(result.type).toBe('timeout');
    expect(performance.now() - startedMs).toBeLessThan(2000);
    const answered = await serve((_, response) => {
      response.writeHead(503).end();
    });
    const answeredResult = await waitUntilReady({ ...settings, url: answered, timeoutMs: 500 });
    expect(answeredResult).toMatchObject({ lastProblem: expect.stringContaining('status 503') as string });
  });

  test('tolerates a refused connection until the deadline', async () => {
    const url = new URL('http://127.0.0.1:1/health');
    expect(await waitUntilReady({ ...settings, url, timeoutMs: 60 })).toEqual({
      type: 'timeout',
      lastProblem: 'ECONNREFUSED',
    });
  });

  test('ends at once when it is aborted during a probe or a pause', async () => {
    const hanging = await serve(() => undefined);
    const refused = new URL('http://127.0.0.1:1/');
    for (const url of [hanging, refused]) {
      const stop = new AbortController();
      const wait = waitUntilReady({
        ...settings,
        url,
        timeoutMs: 60_000,
        intervalMs: 60_000,
        signal: stop.signal,
      });
      setTimeout(() => {
        stop.abort();
      }, 30);
      expect(await wait).toEqual({ type: 'aborted' });
    }
  });
});

describe('createCheckUrl', () => {
  test.each([
    ['http://localhost:5800', '/health', 'http://localhost:5800/health'],
    ['http://10.0.0.2:8080/base/', '/v1/models?x=1', 'http://10.0.0.2:8080/base/v1/models?x=1'],
    ['http://localhost:5800', 'http://elsewhere:1/ok', 'http://localhost:5800/ok'],
    ['https://localhost', 'health', 'https://localhost/health'],
  ])('puts %s and %s together', (proxy, check, expected) => {
    expect(createCheckUrl(proxy, check)?.href).toBe(expected);
  });

  test('is undefined for none', () => {
    expect(createCheckUrl('http://localhost:5800', 'none')).toBeUndefined();
  });
});
