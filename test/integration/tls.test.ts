/** HTTPS on the listening side: who is served, with which certificate, and what a wrong one does. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { once } from 'node:events';
import { connect as connectTcp, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { selfSigned, type SelfSigned } from '../fixtures/self-signed.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import { startRouter } from './start-router.ts';

/** Files in a folder of their own; `write` replaces what is in them. */
function identityFiles(identity = selfSigned()) {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-tls-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const write = ({ cert, key }: SelfSigned): void => {
    writeFileSync(tls.cert, cert);
    writeFileSync(tls.key, key);
  };
  write(identity);
  return { tls, identity, write };
}

async function startTls(config: object = {}) {
  const files = identityFiles();
  const engine = await startFakeEngine();
  const whole = { tls: files.tls, backends: { one: { url: engine.url } }, ...config };
  const router = await startRouter(whole);
  const port = Number(new URL(router.url).port);
  return {
    ...files,
    engine,
    router,
    config: whole,
    port,
    ask: (body: object, ca = files.identity.cert) => askTls(port, ca, body),
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await engine.close();
    },
  };
}

function askTls(port: number, ca: string, body: object): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const url = `https://localhost:${port}/v1/chat/completions`;
    const options = { method: 'POST', ca, agent: false, lookup: undefined, family: 4 };
    const request = httpsRequest(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', reject);
    request.end(JSON.stringify(body));
  });
}

async function handshake(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ...options });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

const chat = { model: 'tiny', messages: [{ role: 'user', content: 'x' }], max_tokens: 3 };

test('TLS clients are served: whole answers and streams', async () => {
  await using setup = await startTls();
  await expect.poll(async () => (await setup.ask(chat)).status).toBe(200);
  const { status, text } = await setup.ask({ ...chat, stream: true });
  expect([status, text]).toEqual([200, expect.stringMatching(/^data: [\s\S]*\ndata: \[DONE\]\n\n$/)]);
  expect(setup.router.logLines.map(({ msg }) => msg)).toContain(
    `listening on https://127.0.0.1:${setup.port}`,
  );
});

test('TLS 1.1 is refused, and HTTP/1.1 is chosen where HTTP/2 is offered first', async () => {
  await using setup = await startTls();
  const ca = setup.identity.cert;
  const old = { ca, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
  await expect(handshake(setup.port, old)).rejects.toThrow(/protocol version|unsupported protocol/i);
  const modern = await handshake(setup.port, { ca, ALPNProtocols: ['h2', 'http/1.1'] });
  expect(modern.alpnProtocol).toBe('http/1.1');
});

test('a reload shows new connections the certificate that is in the files now, and leaves old ones alone', async () => {
  await using setup = await startTls();
  const first = setup.identity.cert;
  const before = await handshake(setup.port, { ca: first });
  const renewed = selfSigned();
  setup.write(renewed);
  await setup.router.reload(setup.config);
  const after = await handshake(setup.port, { ca: renewed.cert });
  expect(after.authorized).toBe(true);
  before.write('GET /health HTTP/1.1\r\nHost: r\r\n\r\n');
  const [answer] = (await once(before, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 \d{3} /);
});

test('a reload with a wrong certificate changes nothing and names the file', async () => {
  await using setup = await startTls();
  setup.write({ ...setup.identity, key: selfSigned().key });
  await expect(setup.router.reload(setup.config)).rejects.toThrow(
    /key\.pem \(tls\.key\) does not belong to the certificate in tls\.cert/,
  );
  expect((await handshake(setup.port, { ca: setup.identity.cert })).authorized).toBe(true);
});

test('switching TLS off takes a restart, and says so', async () => {
  await using setup = await startTls();
  await setup.router.reload({ backends: setup.config.backends });
  expect((await handshake(setup.port, { ca: setup.identity.cert })).authorized).toBe(true);
  expect(setup.router.logLines).toContainEqual(
    expect.objectContaining({ keys: ['tls'], msg: 'changed keys that take effect after a restart' }),
  );
});

test('WebSockets pass under TLS', async () => {
  const sockets = new WebSocketServer({ noServer: true });
  const engine = createServer((_request, response) => {
    response.end('{"object":"list","data":[{"id":"voice"}]}');
  });
  engine.on('upgrade', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (opened) => {
      opened.on('message', (data) => opened.send(data));
    }),
  );
  engine.listen(0, '127.0.0.1');
  await once(engine, 'listening');
  onTestFinished(() => {
    engine.closeAllConnections();
    engine.close();
  });
  const url = `http://127.0.0.1:${(engine.address() as AddressInfo).port}`;
  await using setup = await startTls({ backends: { voice: { url, engine: 'openai' } } });
  const ca = setup.identity.cert;
  await expect.poll(async () => (await setup.ask({ ...chat, model: 'voice' })).status).toBe(200);
  const socket = new WebSocket(`wss://localhost:${setup.port}/v1/realtime?model=voice`, { ca, family: 4 });
  await once(socket, 'open');
  socket.send('hello');
  const [data] = (await once(socket, 'message')) as [Buffer];
  expect(data.toString()).toBe('hello');
  socket.terminate();
});

test('connections beyond the limit are closed, those that never shake hands count', async () => {
  await using setup = await startTls({ limits: { connections: 2 } });
  const silent = connectTcp(setup.port, '127.0.0.1');
  await once(silent, 'connect');
  onTestFinished(() => void silent.destroy());
  const kept = await handshake(setup.port, { ca: setup.identity.cert });
  await expect(handshake(setup.port, { ca: setup.identity.cert })).rejects.toThrow();
  kept.destroy();
  await expect
    .poll(async () =>
      handshake(setup.port, { ca: setup.identity.cert }).then(
        (socket) => socket.authorized,
        () => false,
      ),
    )
    .toBe(true);
});

test('a plain HTTP client gets no answer and does no harm', async () => {
  await using setup = await startTls();
  const plain = connectTcp(setup.port, '127.0.0.1');
  plain.write('GET /health HTTP/1.1\r\nHost: r\r\n\r\n');
  plain.on('error', () => {});
  await once(plain, 'close');
  expect((await handshake(setup.port, { ca: setup.identity.cert })).authorized).toBe(true);
});
