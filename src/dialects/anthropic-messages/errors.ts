/** Errors of the Messages API, both directions. Reads llama.cpp's shape and other engines' as well. */
import type { EngineError } from '../ir/answer.ts';
import { isObject } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import { readOverflow } from '../openai/context-overflow.ts';

const typesByStatus: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};
const statusesByType: Readonly<Record<string, number>> = {
  ...Object.fromEntries(Object.entries(typesByStatus).map(([status, type]) => [type, Number(status)])),
  overloaded_error: 529,
};

const messageCharsMax = 2000;

/** An engine's error answer. */
export function readError(status: number, text: string): EngineError {
  const fields = tryParseObject(text);
  if (fields !== undefined) return readErrorObject(fields, status);
  const words = text.trim().slice(0, messageCharsMax);
  return { message: words === '' ? `The engine answered with status ${status}` : words, status };
}

/** Anthropic's envelope, OpenAI's, or the bare object that llama.cpp sends within streams. */
export function readErrorObject(fields: JsonObject, status?: number): EngineError {
  const inner = isObject(fields['error']) ? fields['error'] : fields;
  const message = messageOf(inner, fields);
  const { type, code, param } = inner;
  const told = status ?? statusOf(type, code);
  const overflow = overflowOf(inner, message);
  return {
    message,
    ...(told !== undefined && { status: told }),
    ...(typeof type === 'string' && { type }),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(typeof param === 'string' && { param }),
    ...(overflow !== undefined && { overflow }),
  };
}

/** An overflow is said in the service's own words: agents look for them and make the conversation shorter. */
export function writeError(error: EngineError, status: number): JsonObject {
  const { message, overflow } = error;
  if (overflow === undefined) return envelope(typeOf(status), message);
  const { promptTokens, contextTokens } = overflow;
  const counts =
    promptTokens !== undefined && contextTokens !== undefined
      ? `${promptTokens} tokens > ${contextTokens} maximum`
      : message;
  return envelope('invalid_request_error', `prompt is too long: ${counts}`);
}

function envelope(type: string, message: string): JsonObject {
  return { type: 'error', error: { type, message } };
}

function typeOf(status: number): string {
  return typesByStatus[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
}

function messageOf(inner: JsonObject, fields: JsonObject): string {
  const candidates = [inner['message'], fields['error'], fields['message'], fields['detail']];
  const words = candidates.find((value) => typeof value === 'string' && value !== '');
  return typeof words === 'string' ? words.slice(0, messageCharsMax) : 'The engine reported an error';
}

function statusOf(type: unknown, code: unknown): number | undefined {
  if (typeof code === 'number' && Number.isInteger(code) && code >= 400 && code <= 599) return code;
  return typeof type === 'string' && Object.hasOwn(statusesByType, type) ? statusesByType[type] : undefined;
}

/** In Anthropic's own words; those of the engines are known elsewhere. */
const wordings = [
  /prompt is too long: (\d+) tokens > (\d+)/,
  /exceed context limit: (\d+) \+ \d+ > (\d+)/,
] as const;

function overflowOf(inner: JsonObject, message: string): EngineError['overflow'] {
  for (const wording of wordings) {
    const [, prompt, context] = wording.exec(message) ?? [];
    if (prompt !== undefined) return { promptTokens: Number(prompt), contextTokens: Number(context) };
  }
  return readOverflow(message, inner) ?? (message.startsWith('prompt is too long') ? {} : undefined);
}

function tryParseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
