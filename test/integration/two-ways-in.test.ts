/** A plain request and one that node:http has to read are served alike: `TE` makes the difference, and means nothing here. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFakeEngine } from '../fake-engine/start.ts';
import { connectRaw, rawPost } from './raw-client.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

const ways = [
  ['plain', []],
  ['by node:http', ['TE: trailers']],
] as const;
const chatPath = '/v1/chat/completions';
const small = { model: 'tiny', messages: [{ role: 'user', content: 'tell me of the river' }], max_tokens: 3 };
const key = 'Authorization: Bearer secret';
const get = (path: string, lines: readonly string[]) =>
  [`GET ${path} HTTP/1.1`, 'Host: r', ...lines, '', ''].join('\r\n');

let engine: Awaited<ReturnType<typeof startFakeEngine>>;
let router: TestRouter;
beforeAll(async () => {
  engine = await startFakeEngine();
  router = await startRouter({
    apiKeys: ['secret'],
    backends: { one: { url: engine.url } },
    limits: { body: '64KiB' },
  });
  await router.ready();
});
afterAll(async () => {
  await router[Symbol.asyncDispose]();
  await engine.close();
});

/** Everything that comes for the bytes until the connection ends, with what differs from request to request blotted out. */
async function answerTo(bytes: string): Promise<{ status: string; headers: string[]; body: string }> {
  using client = await connectRaw(router.url);
  client.socket.write(bytes);
  const text = await client.all();
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [status = '', ...headers] = head
    .replaceAll(/[\da-f-]{36}/g, 'UUID')
    .replaceAll(/(?<=Date: ).*/g, 'DATE')
    .split('\r\n')
    .map((line) => line.replace(/^[^:]*:/, (name) => name.toLowerCase()));
  const body = rest
    .join('\r\n\r\n')
    .replaceAll(/(?<="(?:id|created|\w+_ms|\w+_per_\w+)":)("[^"]*"|[\d.]+)/g, '0');
  return { status, headers: headers.toSorted(), body };
}

describe('a request is answered alike on both ways:', () => {
  test.each([
    ['an answer with a length', rawPost('/tokenize', { content: 'a b' }, [key, 'Connection: close'])],
    ['the list of models', get('/v1/models', [key, 'Connection: close'])],
    ['one model', get('/v1/models/tiny', [key, 'Origin: http://page.example', 'Connection: close'])],
    ['a model that nobody has', rawPost(chatPath, { ...small, model: 'huge' }, [key, 'Connection: close'])],
    ['a path that nobody has', get('/nowhere', [key, 'Accept: text/html', 'Connection: close'])],
    ['a method that the path does not take', get(chatPath, [key, 'Connection: close'])],
    ['no key', rawPost(chatPath, small, ['Connection: close'])],
    ['a wrong key', rawPost(chatPath, small, ['x-api-key: guess', 'Connection: close'])],
    ['a body that is too large', rawPost(chatPath, 'x'.repeat(70_000), [key, 'Connection: close'])],
    ['no JSON', rawPost(chatPath, 'nonsense', [key, 'Connection: close'])],
    ['a redirect', get('/comfyui?a=b', [key, 'Connection: close'])],
  ])('%s', async (_what, bytes) => {
    const answers = await Promise.all(
      ways.map(([, lines]) =>
        answerTo(bytes.replace('\r\n', ['\r\n', ...lines.map((line) => `${line}\r\n`)].join(''))),
      ),
    );
    expect(answers[0]?.status).toMatch(/^HTTP\/1\.1 \d{3} /);
    expect(answers[0]).toEqual(answers[1]);
  });
});

describe.each(ways)('a client, %s,', (_way, lines) => {
  test('gets a stream to its end, and the next answer on the same connection', async () => {
    using client = await connectRaw(router.url);
    client.socket.write(rawPost(chatPath, { ...small, stream: true }, [key, ...lines]));
    await client.receives(/200 OK[\s\S]*data: \[DONE\]\n\n\r\n0\r\n\r\n$/);
    client.socket.write(rawPost(chatPath, small, [key, ...lines]));
    await client.receives(/"chat\.completion"/);
  });

  test('that leaves in the middle of a stream frees its slot', async () => {
    using client = await connectRaw(router.url);
    client.socket.write(rawPost(chatPath, { ...small, max_tokens: 5000, stream: true }, [key, ...lines]));
    await client.receives(/data: /);
    client.socket.destroy();
    await until(() => engine.engine.state().models[0]?.slotsBusy === 0);
    await until(() => router.logLines.some(({ outcome }) => outcome === 'cancelled_streaming'));
  });

  test('whose bytes come one by one is served', async () => {
    using client = await connectRaw(router.url);
    for (const byte of rawPost('/tokenize', { content: 'a' }, [key, ...lines])) {
      client.socket.write(byte);
      await new Promise(setImmediate);
    }
    await client.receives(/200 OK[\s\S]*"tokens"/);
  });
});
