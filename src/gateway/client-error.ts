/** Answers on a bare socket: for clients whose bytes never became a request, or whose request is no ordinary one. */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorTable, type ErrorCode } from '../domain/errors.ts';

const tooSlow = {
  status: 408,
  code: 'request_malformed',
  message: 'The request was not complete within limits.bodyTimeout',
} as const;

/** What node:http could not parse, in words, by its error code; anything else is plain bad HTTP. */
const answers: Readonly<
  Record<string, { readonly status: number; readonly code: ErrorCode; readonly message: string }>
> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'request_malformed',
    message: 'The request head is larger than limits.header',
  },
  ERR_HTTP_REQUEST_TIMEOUT: tooSlow,
};

const badRequest = {
  status: 400,
  code: 'request_malformed',
  message: 'The request is not valid HTTP/1.1',
} as const;

/** For `server.on('clientError')`. `latest`: the answer to the connection's last whole request head, if there was one. */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  latest: ServerResponse | undefined,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable || (latest !== undefined && isUnderWay(latest))) {
    socket.destroy();
    return;
  }
  answer(socket, answers[error.code ?? ''] ?? badRequest);
}

/** For a request that did not come within `limits.bodyTimeout`. */
export function answerSlowness(socket: Duplex): void {
  answer(socket, tooSlow);
}

/** For a connection beyond `limits.connections`. */
export function refuseConnection(socket: Socket, connectionsMax: number): void {
  answer(socket, {
    status: 503,
    code: 'too_many_connections',
    message: `The router already holds ${connectionsMax} client connections (limits.connections)`,
  });
  socket.destroySoon();
}

/** Another answer in the middle of this one would look like a part of it. */
function isUnderWay(response: ServerResponse): boolean {
  const waitsForAnother = response.socket === null;
  return !response.writableFinished && (response.headersSent || waitsForAnother);
}

function answer(
  socket: Duplex,
  { status, code, message }: { readonly status: number; readonly code: ErrorCode; readonly message: string },
): void {
  const { type } = errorTable[code];
  const body = JSON.stringify({ error: { message, type, param: null, code } });
  answerOnSocket(socket, {
    status,
    body,
    requestId: randomUUID(),
    retryAfterS: status === 503 ? 5 : undefined,
  });
}

export interface BareAnswer {
  readonly status: number;
  /** JSON. */
  readonly body: string;
  readonly requestId: string;
  readonly retryAfterS: number | undefined;
}

/** Writes a whole answer on a socket that node:http has let go of, and ends it. */
export function answerOnSocket(socket: Duplex, { status, body, requestId, retryAfterS }: BareAnswer): void {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    ...(retryAfterS === undefined ? [] : [`retry-after: ${retryAfterS}`]),
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
