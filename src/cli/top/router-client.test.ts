import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { fakeStatus } from '../../../test/top/readings.ts';
import { createRouterClient } from './router-client.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function withServer(answer: Answer, options: { key?: string; path?: string; timeoutMs?: number } = {}) {
  const seen: { method: string | undefined; url: string | undefined; authorization: string | undefined }[] =
    [];
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    seen.push({ method, url, authorization: headers.authorization });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}${options.path ?? '/'}`);
  const { timeoutMs } = options;
  const client = createRouterClient({
    url,
    key: options.key,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  return {
    client,
    url,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const json =
  (body: object, status = 200): Answer =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

const router: Answer = (request, response) =>
  json(request.url?.includes('status') === true ? fakeStatus([]) : { queued: [], running: [] })(
    request,
    response,
  );

const { signal } = new AbortController();

describe('a router client', () => {
  test('reads below the path of the URL, with its key', async () => {
    await using at = await withServer(router, { key: 'sk-1', path: '/router/' });
    expect((await at.client.read(signal)).status.version).toBe('0.1.0');
    expect(at.seen).toEqual(
      expect.arrayContaining([
        { method: 'GET', url: '/router/api/status', authorization: 'Bearer sk-1' },
        { method: 'GET', url: '/router/api/requests?limit=1', authorization: 'Bearer sk-1' },
      ]),
    );
  });

  test('takes fields that it does not know, from a router of another version', async () => {
    await using at = await withServer(json({ ...fakeStatus([], { fresh: 1 }), queued: [], running: [] }));
    expect(await at.client.read(signal)).toMatchObject({ requests: [] });
  });

  test.each([
    ['load', '/api/models/load/org%2Fa%20b?wait=false'],
    ['unload', '/api/models/unload/org%2Fa%20b'],
    ['drain', '/api/backends/org%2Fa%20b/drain'],
    ['resume', '/api/backends/org%2Fa%20b/resume'],
    ['cancel', '/api/requests/org%2Fa%20b/cancel'],
  ] as const)('asks for %s with any name', async (verb, path) => {
    await using at = await withServer(json({}));
    await at.client.act({ verb, id: 'org/a b' }, signal);
    expect(at.seen).toMatchObject([{ method: 'POST', url: path }]);
  });

  test('hands a log on as it comes, with no character torn', async () => {
    await using at = await withServer((_request, response) => {
      const bytes = Buffer.from('Größe\n');
      response.write(bytes.subarray(0, 3));
      setImmediate(() => response.end(bytes.subarray(3)));
    });
    let text = '';
    await at.client.followLog('upstream', (piece) => (text += piece), signal);
    expect([text, at.seen[0]?.url]).toEqual(['Größe\n', '/logs/stream/upstream']);
  });
});

describe('a router client says in words', () => {
  test.each([
    ['that a key is wanted', undefined, /wants an API key: .*LLAMERO_API_KEY.*--key-env/],
    ['that the key is refused', 'sk-wrong', /refuses the API key$/],
  ])('%s', async (_what, key, message) => {
    await using at = await withServer(json({}, 401), key === undefined ? {} : { key });
    const error = await at.client.read(signal).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'RouterFault', message: expect.stringMatching(message) as string });
    expect(String(error)).not.toContain('sk-wrong');
  });

  test.each([
    [
      'an error of the router, harmless for the terminal',
      json({ error: { message: 'No\u001b[2J such' } }, 404),
      /^No such$/,
    ],
    ['an error of something else', json({}, 502), /answers with status 502$/],
    ['another program', json({ hello: 1 }), /does not answer as a router does$/],
    [
      'a page',
      (_: unknown, response: ServerResponse) => void response.end('<html>'),
      /No answer from .*JSON/,
    ],
  ] as const)('%s', async (_what, answer, message) => {
    await using at = await withServer(answer);
    await expect(at.client.read(signal)).rejects.toThrow(message);
  });

  test('that it was sent elsewhere, and does not take the key there', async () => {
    await using other = await withServer(router);
    await using at = await withServer(
      (_request, response) => void response.writeHead(302, { location: other.url.href }).end(),
      { key: 'sk-1' },
    );
    await expect(at.client.read(signal)).rejects.toThrow(/^No answer from .*redirect/);
    expect(other.seen).toEqual([]);
  });

  test('that nobody answers in time', async () => {
    await using at = await withServer(() => {}, { timeoutMs: 50 });
    await expect(at.client.read(signal)).rejects.toThrow(`No answer from ${at.url.href} (took too long)`);
  });

  test('that nobody is there', async () => {
    const at = await withServer(router);
    await at[Symbol.asyncDispose]();
    await expect(at.client.read(signal)).rejects.toThrow(`No answer from ${at.url.href} (ECONNREFUSED)`);
  });
});
