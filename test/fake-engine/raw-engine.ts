/** An engine that answers what it is asked with bytes that a test wrote down, HTTP or not. Probes get sound answers. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

export interface RawEngine extends AsyncDisposable {
  readonly url: string;
  /** Every request other than a probe, whole, as latin1 text. */
  readonly asked: string[];
  /** Answers from now on; the socket stays open unless it is ended. */
  answer: (socket: Socket, request: string) => void;
}

const models = { object: 'list', data: [{ id: 'm', object: 'model', owned_by: 'test' }] };

export async function startRawEngine(): Promise<RawEngine> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let text = '';
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let end = endOfRequest(text); end !== -1; end = endOfRequest(text)) {
        take(socket, text.slice(0, end));
        text = text.slice(end);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const engine: RawEngine = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    answer: (socket) => void socket.write(soundAnswer('{}')),
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
  function take(socket: Socket, request: string): void {
    const path = /^GET (\S+)/.exec(request)?.[1];
    if (path === '/v1/models') socket.write(soundAnswer(JSON.stringify(models)));
    else if (path === '/health') socket.write(soundAnswer('{"status":"ok"}'));
    else if (probed.has(path ?? '')) socket.write(soundAnswer('{}', '404 Not Found'));
    else {
      engine.asked.push(request);
      engine.answer(socket, request);
    }
  }
  return engine;
}

/** What kinds of engines are told by. */
const probed: ReadonlySet<string> = new Set([
  '/props',
  '/slots',
  '/version',
  '/api/version',
  '/api/tags',
  '/api/ps',
  '/metrics',
  '/models',
  '/get_server_info',
  '/server_info',
  '/api/v0/models',
  '/',
]);

/** JSON with one length. */
export function soundAnswer(body: string, status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** -1 = it is not whole yet. */
function endOfRequest(text: string): number {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return -1;
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, headEnd))?.[1] ?? 0);
  const end = headEnd + 4 + length;
  return text.length < end ? -1 : end;
}
