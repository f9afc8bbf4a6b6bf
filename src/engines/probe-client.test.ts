import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFixture } from '../../test/contract/engine-fixtures.ts';
import type { FixtureServer } from '../../test/contract/engine-fixtures.ts';
import { createProbeClient } from './probe-client.ts';
import type { ProbeClientOptions } from './probe-client.ts';

let server: FixtureServer;
beforeAll(async () => {
  server = await startFixture({
    otherwise: { status: 404, text: 'no' },
    routes: {
      '/json': { json: { a: 1 } },
      '/text': { text: '[not json' },
      '/moved': (response) => response.writeHead(302, { location: '/json' }).end(),
      '/headers': (response, request) => response.end(JSON.stringify(request.headers)),
      '/base/json': { json: { based: true } },
      '/hangs': () => undefined,
      '/stalls': (response) => {
        response.writeHead(200);
        response.write('{');
      },
      '/huge': (response) => {
        const more = () => {
          while (response.writable && response.write('x'.repeat(65_536)));
          response.once('drain', more);
        };
        more();
      },
    },
  });
});
afterAll(() => server.close());

const client = (more: Partial<ProbeClientOptions> = {}) =>
  createProbeClient({ url: server.url, timeoutMs: 10_000, ...more });

test('a probe gives status, headers, text and JSON', async () => {
  const response = await client().get('/json');
  expect(response).toMatchObject({ status: 200, text: '{"a":1}', json: { a: 1 } });
  expect(response.headers.get('content-type')).toBe('application/json');
  expect((await client().get('/text')).json).toBeUndefined();
  expect((await client().get('/nothing')).status).toBe(404);
});

test('a probe follows no redirect', async () => {
  expect((await client().get('/moved')).status).toBe(302);
});

test('a probe carries the key, and only when there is one', async () => {
  const sent = async (apiKey?: string) =>
    (await client(apiKey === undefined ? {} : { apiKey }).get('/headers')).json as Record<string, string>;
  expect((await sent('k1'))['authorization']).toBe('Bearer k1');
  expect(await sent()).not.toHaveProperty('authorization');
});

test('a path in the base URL is put before the route', async () => {
  for (const base of ['/base', '/base/']) {
    expect((await client({ url: new URL(base, server.url) }).get('/json')).json).toEqual({ based: true });
  }
});

describe('a probe fails', () => {
  test.each(['/hangs', '/stalls'])('as timeout when %s', async (path) => {
    await expect(client({ timeoutMs: 200 }).get(path)).rejects.toMatchObject({
      kind: 'timeout',
      message: `No answer to GET ${path} within 200 ms`,
    });
  });

  test('as refused when nobody listens', async () => {
    const gone = await startFixture({ otherwise: { text: '' }, routes: {} });
    await gone.close();
    await expect(client({ url: gone.url }).get('/')).rejects.toMatchObject({ kind: 'refused' });
  });

  test('as broken when the answer is too large', async () => {
    await expect(client({ bodyBytesMax: 100_000 }).get('/huge')).rejects.toMatchObject({
      kind: 'broken',
      message: 'Answer is larger than 100000 bytes',
    });
  });

  test('as broken when a name does not resolve', async () => {
    const url = new URL('http://no-such-host.invalid:1');
    await expect(createProbeClient({ url, timeoutMs: 5000 }).get('/')).rejects.toMatchObject({
      kind: 'broken',
    });
  });

  test('when it is ended from outside', async () => {
    const ending = new AbortController();
    const probe = client({ signal: ending.signal }).get('/hangs');
    ending.abort();
    await expect(probe).rejects.toMatchObject({ kind: 'broken' });
  });
});

/** Runs a test against a server without HTTP. */
async function withRawServer(
  serve: (socket: Socket) => void,
  use: (url: URL) => Promise<void>,
): Promise<void> {
  const sockets = new Set<Socket>();
  const raw = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    serve(socket);
  });
  await new Promise<void>((resolve) => {
    raw.listen(0, '127.0.0.1', resolve);
  });
  try {
    await use(new URL(`http://127.0.0.1:${(raw.address() as AddressInfo).port}`));
  } finally {
    for (const socket of sockets) socket.destroy();
    raw.close();
  }
}

test('a probe that met a closing socket is repeated once', async () => {
  let connections = 0;
  await withRawServer(
    (socket) => {
      connections += 1;
      if (connections === 1) socket.resetAndDestroy();
      else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}');
    },
    async (url) => {
      expect((await client({ url }).get('/')).status).toBe(200);
      expect(connections).toBe(2);
    },
  );
});

test('a server that always breaks the connection is broken after two tries', async () => {
  let connections = 0;
  await withRawServer(
    (socket) => {
      connections += 1;
      socket.resetAndDestroy();
    },
    async (url) => {
      await expect(client({ url }).get('/')).rejects.toMatchObject({ kind: 'broken' });
      expect(connections).toBe(2);
    },
  );
});

test('a server that speaks no HTTP is broken', async () => {
  await withRawServer(
    (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
    async (url) => {
      await expect(client({ url }).get('/')).rejects.toMatchObject({ kind: 'broken' });
    },
  );
});
