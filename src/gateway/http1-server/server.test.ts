/** Real sockets on one side, a script in place of the gateway on the other. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ClientRequest, ClientResponse } from '../client.ts';
import { PlainFirstServer } from './server.ts';

interface Seen {
  readonly request: ClientRequest;
  readonly response: ClientResponse;
}

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** `answer` gets the plain requests; unusual ones are answered with `library METHOD URL`. */
async function serve(answer: (seen: Seen) => void, options: { closing?: () => boolean } = {}) {
  const seen: Seen[] = [];
  const slow: Socket[] = [];
  const server = new PlainFirstServer(
    {},
    {
      headBytesMax: () => 1000,
      limits: () => ({ firstByteMs: 60_000, wholeRequestMs: 60_000, idleMs: 60_000 }),
      keepAliveS: 60,
      takes: (url) => !url.startsWith('/control'),
      closing: options.closing ?? (() => false),
      onRequest(request, response) {
        seen.push({ request, response });
        answer({ request, response });
      },
      onSlow: (socket) => slow.push(socket),
    },
    (request: IncomingMessage, response: ServerResponse) => {
      request.resume().on('end', () => response.end(`library ${request.method} ${request.url}`));
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(() => (server.close(), server.closeAllConnections()));
  const client = async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    open.push(() => socket.destroy());
    let text = '';
    let closed = false;
    socket.setNoDelay();
    socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => (closed = true));
    await once(socket, 'connect');
    return {
      socket,
      text: () => text,
      receives: (pattern: RegExp) => vi.waitFor(() => expect(text).toMatch(pattern)),
      ends: () => vi.waitFor(() => expect(closed).toBe(true)),
    };
  };
  return { server, seen, client };
}

const post = (path: string, body: string, ...lines: string[]) =>
  [`POST ${path} HTTP/1.1`, 'Host: r', `Content-Length: ${Buffer.byteLength(body)}`, ...lines, '', body].join(
    '\r\n',
  );
const get = (path: string, ...lines: string[]) =>
  [`GET ${path} HTTP/1.1`, 'Host: r', ...lines, '', ''].join('\r\n');

/** Answers with `METHOD URL BODY`. */
function echo({ request, response }: Seen): void {
  request.readBody(1e6, (error, body) => {
    const text = error?.code ?? `${request.method} ${request.url} ${body.toString('latin1')}`;
    response.writeHead(200, ['content-length', String(text.length)]);
    response.end(text);
  });
}

/** The bodies of answers with a length. */
function bodies(text: string): string[] {
  const found: string[] = [];
  for (let rest = text; rest !== '';) {
    const end = rest.indexOf('\r\n\r\n') + 4;
    const length = Number(/content-length: (\d+)/i.exec(rest.slice(0, end))?.[1]);
    found.push(rest.slice(end, end + length));
    rest = rest.slice(end + length);
  }
  return found;
}

describe('a server that takes plain requests', () => {
  test('answers one after the other on one connection', async () => {
    const { client, server } = await serve(echo);
    const { socket, receives, text } = await client();
    socket.write(post('/a', 'one'));
    await receives(/POST \/a one$/);
    socket.write(get('/b'));
    await receives(/GET \/b $/);
    expect(bodies(text())).toEqual(['POST /a one', 'GET /b ']);
    expect(server.isAnswering).toBe(false);
  });

  test('answers the same whatever the bytes are split into', async () => {
    const { client } = await serve(echo);
    const bytes = Buffer.from(post('/a', 'x'.repeat(40)) + get('/b') + post('/c', 'y') + get('/control/d'));
    for (let at = 1; at < bytes.length; at += 11) {
      const { socket, receives, text } = await client();
      socket.write(bytes.subarray(0, at));
      // On loopback, what was written is received in a turn or two.
      await new Promise(setImmediate);
      socket.write(bytes.subarray(at));
      await receives(/library GET \/control\/d/);
      expect(text()).toMatch(/(POST|library POST) \/a[\s\S]*GET \/b[\s\S]*POST \/c[\s\S]*\/control\/d/);
      socket.destroy();
    }
  });

  test('collects a body that comes in pieces, larger than what a length is trusted for', async () => {
    const lengths: number[] = [];
    const { client } = await serve(({ request, response }) =>
      request.readBody(1e8, (_error, body) => {
        lengths.push(body.length, body.indexOf('b'), body.lastIndexOf('b'));
        response.writeHead(204, []);
        response.end();
      }),
    );
    const { socket, receives } = await client();
    socket.write(post('/', `${'a'.repeat(3_000_000)}b${'a'.repeat(500_000)}`));
    await receives(/204 No Content/);
    expect(lengths).toEqual([3_500_001, 3_000_000, 3_000_000]);
  });

  test('passes over a body that nobody reads, or that is too large', async () => {
    const { client } = await serve(({ request, response }) => {
      if (request.url === '/small') request.readBody(10, (error) => response.end(error?.code));
      else response.end('unread');
    });
    const { socket, receives } = await client();
    socket.write(post('/small', 'x'.repeat(200_000)) + post('/', 'x'.repeat(200_000)) + get('/'));
    await receives(/request_too_large[\s\S]*unread[\s\S]*unread/);
  });

  test('answers pipelined requests in their order, the later ones first if they come first', async () => {
    const { client, seen } = await serve(() => {});
    const { socket, receives, text } = await client();
    socket.write(get('/1') + get('/2') + get('/3'));
    await vi.waitFor(() => expect(seen).toHaveLength(3));
    const [first, second, third] = seen;
    for (const [answer, body] of [
      [third, 'three'],
      [second, 'two'],
    ] as const) {
      answer?.response.writeHead(200, []);
      answer?.response.write(body);
      answer?.response.end();
    }
    first?.response.writeHead(200, ['content-length', '3']);
    first?.response.end('one');
    await receives(/one[\s\S]*3\r\ntwo\r\n0\r\n\r\n[\s\S]*5\r\nthree\r\n0\r\n\r\n$/);
    expect(text().match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
  });

  test('sends a stream in chunks, each at once, its head with the first', async () => {
    const { client, seen } = await serve(() => {});
    const { socket, receives, text } = await client();
    socket.write(get('/'));
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    const response = seen[0]?.response;
    response?.setHeader('x-added', 'yes');
    response?.writeHead(201, ['content-type', 'text/plain']);
    expect([response?.headersSent, response?.statusCode, text()]).toEqual([true, 201, '']);
    // The client's text is latin1.
    response?.write('ä'.repeat(8));
    await receives(/^HTTP\/1\.1 201 Created[\s\S]*x-added: yes[\s\S]*\r\n\r\n10\r\n(Ã¤){8}\r\n$/);
    response?.write('');
    response?.write('x'.repeat(20_000));
    response?.end('last');
    await receives(/\r\n4e20\r\nx{20000}\r\n4\r\nlast\r\n0\r\n\r\n$/);
  });

  test.each([
    ['the client asks for it', () => false, ['Connection: close']],
    ['the server ends', () => true, []],
  ])('closes after the answer when %s', async (_why, closing, lines) => {
    const { client } = await serve(echo, { closing });
    const { socket, ends, text } = await client();
    socket.write(get('/a', ...lines) + get('/b'));
    await ends();
    expect(text()).toMatch(/Connection: close\r\n\r\nGET \/a $/);
  });
});

describe('what is not plain', () => {
  test.each([
    ['another method', 'DELETE /x HTTP/1.1\r\nHost: r\r\n\r\n', /library DELETE \/x/],
    ['a path of somebody else', get('/control/x'), /library GET \/control\/x/],
    ['a head over the limit', get('/x', `X-A: ${'a'.repeat(1000)}`), /library GET \/x/],
    [
      'chunks',
      'POST /x HTTP/1.1\r\nHost: r\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
      /library/,
    ],
    ['no HTTP', 'nonsense\r\n\r\n', /400 Bad Request/],
  ])('goes to the library: %s', async (_what, bytes, answer) => {
    const { client } = await serve(echo);
    const { socket, receives } = await client();
    socket.write(bytes);
    await receives(answer);
  });

  test('goes there after the answers before it, and all that follows it', async () => {
    const { client, seen } = await serve(() => {});
    const { socket, receives } = await client();
    socket.write(`${get('/1')}PUT /2 HTTP/1.1\r\nHost: r\r\nContent-Length: 0\r\n\r\n`);
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    socket.write(get('/3'));
    seen[0]?.response.end('one');
    await receives(/one[\s\S]*library PUT \/2[\s\S]*library GET \/3/);
    expect(seen).toHaveLength(1);
  });

  test('goes there however much of it had to wait', async () => {
    const { client, seen, server } = await serve(() => {});
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const { socket, receives } = await client();
    socket.write(get('/1'));
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    socket.write(`PUT /2 HTTP/1.1\r\nHost: r\r\nContent-Length: 3000000\r\n\r\n${'x'.repeat(3_000_000)}`);
    const [side] = await accepted;
    // More than is read ahead: the client has to wait.
    await vi.waitFor(() => expect(side.isPaused()).toBe(true));
    seen[0]?.response.end('one');
    await receives(/one[\s\S]*library PUT \/2/);
  });

  test('ends a running answer when it cannot be the beginning of a request', async () => {
    const { client, seen } = await serve(() => {});
    const { socket, ends } = await client();
    const left = vi.fn<() => void>();
    socket.write(get('/'));
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    seen[0]?.response.onLeft(left);
    socket.write('nonsense\r\n');
    await ends();
    expect(left).toHaveBeenCalledOnce();
  });
});

describe('a client that leaves', () => {
  test.each([
    ['ends its side', (socket: Socket) => void socket.end()],
    ['breaks the connection off', (socket: Socket) => void socket.resetAndDestroy()],
  ])('takes all of its requests along when it %s', async (_how, leave) => {
    const { client, seen, server } = await serve(() => {});
    const { socket, ends } = await client();
    socket.write(get('/1') + get('/2'));
    await vi.waitFor(() => expect(seen).toHaveLength(2));
    const left = [vi.fn<() => void>(), vi.fn<() => void>()];
    for (const [index, { response }] of seen.entries()) response.onLeft(() => left[index]?.());
    leave(socket);
    await ends();
    await vi.waitFor(() => expect(left.map(({ mock }) => mock.calls.length)).toEqual([1, 1]));
    await vi.waitFor(() => expect(server.isAnswering).toBe(false));
  });

  test('in the middle of its body is no request', async () => {
    const done = vi.fn<() => void>();
    const { client, seen } = await serve(({ request }) => request.readBody(1e6, done));
    const { socket } = await client();
    socket.write(post('/', 'whole').slice(0, -2));
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    const left = vi.fn<() => void>();
    seen[0]?.response.onLeft(left);
    socket.destroy();
    await vi.waitFor(() => expect(left).toHaveBeenCalledOnce());
    expect(done).not.toHaveBeenCalled();
  });
});

describe('an answer', () => {
  test('that is read slowly says so, and again when there is room', async () => {
    const { client, seen } = await serve(() => {});
    const { socket, receives, text } = await client();
    socket.write(get('/'));
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    socket.pause();
    const response = seen[0]?.response;
    response?.writeHead(200, []);
    let writes = 0;
    while (writes < 1000 && response?.write(Buffer.alloc(100_000, 'x')) === true) writes += 1;
    expect(response?.writableNeedDrain).toBe(true);
    const drained = vi.fn<() => void>();
    response?.onDrain(drained);
    expect(drained).not.toHaveBeenCalled();
    socket.resume();
    await vi.waitFor(() => expect(drained).toHaveBeenCalledOnce());
    response?.end();
    await receives(/\r\n0\r\n\r\n$/);
    expect(text().length).toBeGreaterThan((writes + 1) * 100_000);
  });

  test('that waits for its turn is held up to a limit, and goes on in its turn', async () => {
    const { client, seen } = await serve(() => {});
    const { socket, receives } = await client();
    socket.write(get('/1') + get('/2'));
    await vi.waitFor(() => expect(seen).toHaveLength(2));
    const [first, second] = seen;
    second?.response.writeHead(200, []);
    expect(second?.response.write('early')).toBe(true);
    expect(second?.response.write('x'.repeat(70_000))).toBe(false);
    const drained = vi.fn<() => void>();
    second?.response.onDrain(drained);
    first?.response.end('first');
    await vi.waitFor(() => expect(drained).toHaveBeenCalledOnce());
    second?.response.end('late');
    await receives(/first[\s\S]*early[\s\S]*late\r\n0\r\n\r\n$/);
  });

  test('that is broken off has everything but its end', async () => {
    const { client, seen } = await serve(() => {});
    const { socket, ends, text } = await client();
    socket.write(get('/'));
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    const left = vi.fn<() => void>();
    const response = seen[0]?.response;
    response?.onLeft(left);
    response?.writeHead(200, []);
    response?.write('half');
    response?.breakOff(1000);
    await ends();
    expect(text()).toMatch(/\r\n4\r\nhalf\r\n$/);
    expect(left).not.toHaveBeenCalled();
  });
});

test('a server that closes ends idle connections at once and busy ones after their answer', async () => {
  let closing = false;
  const { client, seen, server } = await serve(() => {}, { closing: () => closing });
  const [idle, busy] = [await client(), await client()];
  busy.socket.write(get('/'));
  await vi.waitFor(() => expect(seen).toHaveLength(1));
  closing = true;
  server.close();
  await idle.ends();
  seen[0]?.response.end('done');
  await busy.receives(/done/);
  server.closeIdleConnections();
  await busy.ends();
});
