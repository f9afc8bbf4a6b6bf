/** Turns an error into what the caller's API calls an error: a whole answer before the first byte, an event after it. */
import { challenge, tryErrorPage } from '../domain/error-page.ts';
import { errorTable, type LlameroError } from '../domain/errors.ts';
import type { ClientResponse } from './client.ts';
import type { ErrorDialect } from './routes.ts';

const anthropicTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
};

/** What the Messages API calls an error with this status. */
export function anthropicErrorType(status: number): string {
  return anthropicTypes[status] ?? 'api_error';
}

/** By these the official client knows that it has to go on without a thread. */
const threadDetails = { error_code: 'thread_unsupported_request', unsupported: ['thread'] };

/** The body of an error answer in the caller's dialect. */
export function errorBody(error: LlameroError, dialect: ErrorDialect): string {
  const { type } = errorTable[error.code];
  if (dialect === 'anthropic') {
    const { status, message, code } = error;
    return JSON.stringify({
      type: 'error',
      error: {
        type: anthropicErrorType(status),
        message,
        code,
        ...(code === 'thread_unsupported' && { details: threadDetails }),
      },
    });
  }
  if (dialect === 'ollama') return JSON.stringify({ error: error.message });
  return JSON.stringify({
    error: { message: error.message, type, param: error.param ?? null, code: error.code },
  });
}

/** The error as one event or line, for a stream that has begun. */
export function errorEvent(error: LlameroError, dialect: ErrorDialect): string {
  if (dialect === 'anthropic') return `event: error\ndata: ${errorBody(error, dialect)}\n\n`;
  if (dialect === 'openai-responses') {
    const data = { type: 'error', code: error.code, message: error.message, param: error.param ?? null };
    return `event: error\ndata: ${JSON.stringify(data)}\n\n`;
  }
  if (dialect === 'ollama') return `${errorBody(error, dialect)}\n`;
  return `data: ${errorBody(error, dialect)}\n\n`;
}

export interface ErrorAnswer {
  readonly error: LlameroError;
  readonly dialect: ErrorDialect;
  readonly requestId: string;
  /** More headers, names and values alternating. */
  readonly headers?: readonly string[];
  /** The request's `accept` on paths that are no API: people get text or a page there. */
  readonly accept?: string | undefined;
}

/** Sends a whole error answer. The response must not have begun. */
export function sendError(response: ClientResponse, answer: ErrorAnswer): void {
  const { error } = answer;
  const page = tryErrorPage(error, answer.accept);
  const body = page?.body ?? errorBody(error, answer.dialect);
  const headers = [
    'content-type',
    page?.contentType ?? 'application/json; charset=utf-8',
    'content-length',
    String(Buffer.byteLength(body)),
    'x-request-id',
    answer.requestId,
    ...(answer.headers ?? []),
  ];
  if (error.retryAfterS !== undefined) headers.push('retry-after', String(error.retryAfterS));
  if (error.code === 'unauthorized') headers.push('www-authenticate', challenge(answer.accept));
  response.writeHead(error.status, headers);
  response.end(body);
}
