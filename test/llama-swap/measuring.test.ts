/** What llama-swap's tests pin of measuring an answer on its way through: nothing of it may change what the client gets. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { ask, chat } from '../integration/client.ts';
import { freePorts } from '../integration/free-ports.ts';
import { startRouter, until } from '../integration/start-router.ts';

const answerText = JSON.stringify({
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 1 },
});

/** A model whose process merely lives; this server answers for it, and keeps the heads that it saw. */
async function setUp(body: Buffer, headers: Record<string, string>) {
  const heads: { path: string; acceptEncoding: string | undefined }[] = [];
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer((request, response) => {
    heads.push({ path: request.url ?? '', acceptEncoding: request.headers['accept-encoding'] });
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body);
  });
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (opened) => {
      opened.on('message', (data) => {
        opened.send(data);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const router = await startRouter({
    startPort: await freePorts(1),
    models: {
      m: {
        cmd: `'${process.execPath}' -e 'setInterval(() => {}, 1000)'`,
        proxy: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        checkEndpoint: '/',
      },
    },
  });
  onTestFinished(async () => {
    for (const socket of sockets.clients) socket.terminate();
    await router[Symbol.asyncDispose]();
    server.close();
    server.closeAllConnections();
  });
  const rows = async () =>
    (await ask(`${router.url}/api/metrics/activity`).answer).json()['data'] as Record<string, unknown>[];
  return { router, heads, rows };
}

describe('MET-5 compression', () => {
  const acceptEncoding = 'gzip, deflate, br;q=0.5';

  test('is not asked for where tokens are counted, and left to the client elsewhere', async () => {
    const { router, heads, rows } = await setUp(Buffer.from(answerText), {});
    const headers = { 'accept-encoding': acceptEncoding };
    await chat(router.url, { model: 'm' }, { headers }).answer;
    await ask(`${router.url}/upstream/m/page.html`, { headers }).answer;
    const seen = Object.fromEntries(heads.map(({ path, acceptEncoding: value }) => [path, value]));
    expect(seen).toMatchObject({ '/v1/chat/completions': undefined, '/page.html': acceptEncoding });
    await until(async () => (await rows()).length === 1);
    expect((await rows())[0]).toMatchObject({ tokens: { input_tokens: 3, output_tokens: 1 } });
  });

  test('that comes unasked reaches the client as it is, and the row has no tokens', async () => {
    const { router, rows } = await setUp(gzipSync(answerText), { 'content-encoding': 'gzip' });
    const answer = await chat(router.url, { model: 'm' }).answer;
    expect([answer.status, answer.headers['content-encoding']]).toEqual([200, 'gzip']);
    expect(gunzipSync(answer.body).toString()).toBe(answerText);
    await until(async () => (await rows()).length === 1);
    expect((await rows())[0]).toMatchObject({ tokens: { input_tokens: 0, output_tokens: 0 } });
  });
});

test('MET-6 of a WebSocket no byte is kept, and it works through whatever measures', async () => {
  const { router, rows } = await setUp(Buffer.from(answerText), {});
  await chat(router.url, { model: 'm' }).answer;
  const socket = new WebSocket(`${router.url.replace('http', 'ws')}/v1/realtime?model=m`);
  await once(socket, 'open');
  socket.send('a word');
  const [data] = (await once(socket, 'message')) as [Buffer];
  expect(data.toString()).toBe('a word');
  socket.close();
  await once(socket, 'close');
  await until(async () => (await router.status()).requests.in_flight === 0);
  expect(await rows()).toHaveLength(1);
});
