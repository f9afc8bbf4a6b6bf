/**
 * Errors of OpenAI's APIs and of the engines that copy them: `{"error": {…}}` and its relatives, in an answer of their own
 * or inside a stream. Never throws.
 */
import { parseExactJson } from '../../base/exact-json.ts';
import type { EngineError } from '../ir/answer.ts';
import { isObject, present, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import { readOverflow } from './context-overflow.ts';
import { tryStringify } from './try-stringify.ts';

/** Longest text of an error that is no JSON (a proxy's page). */
const textLengthMax = 2000;

/** `text`: body of an error answer. */
export function readError(status: number, text: string): EngineError {
  const body = tryParse(text);
  const error = isObject(body) ? (errorIn(body) ?? readErrorObject(body)) : undefined;
  if (error !== undefined) return { ...error, status };
  const words = text.trim().slice(0, textLengthMax);
  const overflow = readOverflow(words, {});
  return {
    message: words === '' ? `The engine answered with status ${status}` : words,
    status,
    ...(overflow !== undefined && { overflow }),
  };
}

/**
 * The error that stands in place of an answer or of a chunk; undefined = it is none. Seen: `{"error":{…}}` (nearly all),
 * `{"error":"text"}` (Ollama), `{"object":"error","message":…}` (older vLLM, SGLang), `{"detail":…}` (FastAPI).
 */
export function errorIn(body: JsonObject): EngineError | undefined {
  const error = body['error'];
  if (isObject(error)) return readErrorObject(error) ?? { message: textOfJson(error) };
  if (typeof error === 'string' && error !== '') return readErrorText(error);
  if (body['object'] === 'error') return readErrorObject(body);
  const detail = body['detail'];
  if (detail === undefined || 'choices' in body) return undefined;
  return readErrorText(typeof detail === 'string' ? detail : textOfJson(detail));
}

/** For a client of OpenAI's APIs. */
export function writeError(error: EngineError, status: number): JsonObject {
  const { message, type, code, param, overflow } = error;
  return {
    error: {
      message,
      type: type ?? typeFor(status),
      param: param ?? null,
      code: overflow === undefined ? (code ?? null) : 'context_length_exceeded',
      // llama.cpp's names: clients that trim a conversation read them.
      ...present({ n_prompt_tokens: overflow?.promptTokens, n_ctx: overflow?.contextTokens }),
    },
  };
}

function textOfJson(value: unknown): string {
  return (tryStringify(value) ?? 'The engine failed').slice(0, textLengthMax);
}

function readErrorText(text: string): EngineError {
  const overflow = readOverflow(text, {});
  return { message: text, ...(overflow !== undefined && { overflow }) };
}

function readErrorObject(error: JsonObject): EngineError | undefined {
  const message = textOf(error['message']);
  if (message === '') return undefined;
  const code = error['code'];
  const isCode = (typeof code === 'string' && code !== '') || typeof code === 'number';
  const isStatus = typeof code === 'number' && Number.isInteger(code) && code >= 400 && code < 600;
  return {
    message,
    ...(isStatus && { status: code }),
    ...present({
      type: textOf(error['type']) || undefined,
      code: isCode ? code : undefined,
      param: textOf(error['param']) || undefined,
      overflow: readOverflow(message, error),
    }),
  };
}

/** What OpenAI calls an error with this status. */
function typeFor(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 404) return 'not_found_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

function tryParse(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}
