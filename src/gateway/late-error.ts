/** An engine's error answer for a client whose stream has begun already: the same words, as an event of its dialect. */
import { STATUS_CODES } from 'node:http';
import type { ErrorDialect } from './routes.ts';
import { anthropicErrorType } from './error-response.ts';

const messageCharsMax = 2000;

type Fields = Readonly<Record<string, unknown>>;

interface EngineError {
  readonly message: string;
  readonly type: string | undefined;
  readonly code: unknown;
  readonly param: unknown;
}

/** `status`: what the engine answered, ≥ 400 or a success that is no stream. */
export function lateErrorEvent(status: number, body: Buffer, dialect: ErrorDialect): string {
  const { message, type, code, param } = readError(status, body.toString('utf8'));
  if (dialect === 'anthropic') {
    const error = { type: anthropicErrorType(status), message };
    return `event: error\ndata: ${JSON.stringify({ type: 'error', error })}\n\n`;
  }
  if (dialect === 'openai-responses') {
    return `event: error\ndata: ${JSON.stringify({ type: 'error', code, message, param })}\n\n`;
  }
  if (dialect === 'ollama') return `${JSON.stringify({ error: message })}\n`;
  const fallback = status < 500 ? 'invalid_request_error' : 'server_error';
  return `data: ${JSON.stringify({ error: { message, type: type ?? fallback, param, code } })}\n\n`;
}

/** What an engine says went wrong; without words of its own, what its status means. */
export function engineErrorMessage(status: number, body: Buffer): string {
  const words = wordsOf(tryParseObject(body.toString('utf8')));
  return words ?? `${status} ${STATUS_CODES[status] ?? 'Unknown'}`;
}

/** Engines put their message in `error.message`, `error`, `message` or `detail`. */
function readError(status: number, text: string): EngineError {
  if (status < 400) {
    const message = 'The engine did not answer with a stream';
    return { message, type: 'server_error', code: 'backend_protocol', param: null };
  }
  const fields = tryParseObject(text);
  const inner = fields?.['error'];
  const error = isObject(inner) ? inner : fields;
  const words =
    wordsOf(fields) ?? (text.trim() === '' ? `The engine answered with status ${status}` : text.trim());
  const type = error?.['type'];
  return {
    message: words.slice(0, messageCharsMax),
    type: typeof type === 'string' ? type : undefined,
    code: error?.['code'] ?? status,
    param: error?.['param'] ?? null,
  };
}

function wordsOf(fields: Fields | undefined): string | undefined {
  const inner = fields?.['error'];
  const own = isObject(inner) ? inner['message'] : undefined;
  return [own, inner, fields?.['message'], fields?.['detail']].find(
    (candidate): candidate is string => typeof candidate === 'string' && candidate !== '',
  );
}

function tryParseObject(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
