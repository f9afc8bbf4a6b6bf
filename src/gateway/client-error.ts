/** Answers on a bare socket, for clients whose bytes never became a request. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** What node:http could not parse, in words, by its error code; anything else is plain bad HTTP. */
const answers: Readonly<
  Record<string, { readonly status: string; readonly code: string; readonly message: string }>
> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    code: 'request_malformed',
    message: 'The request head is larger than limits.header',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    code: 'request_malformed',
    message: 'The request was not complete within limits.bodyTimeout',
  },
};

const badRequest = {
  status: '400 Bad Request',
  code: 'request_malformed',
  message: 'The request is not valid HTTP/1.1',
};

/** For `server.on('clientError')`. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  answer(socket, answers[error.code ?? ''] ?? badRequest);
}

/** For a connection beyond `limits.connections`. */
export function refuseConnection(socket: Socket, connectionsMax: number): void {
  answer(socket, {
    status: '503 Service Unavailable',
    code: 'too_many_connections',
    message: `The router already holds ${connectionsMax} client connections (limits.connections)`,
  });
  socket.destroySoon();
}

function answer(
  socket: Duplex,
  { status, code, message }: { status: string; code: string; message: string },
): void {
  const type = status.startsWith('503') ? 'server_error' : 'invalid_request_error';
  const body = JSON.stringify({ error: { message, type, param: null, code } });
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${randomUUID()}`,
    ...(status.startsWith('503') ? ['retry-after: 5'] : []),
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
