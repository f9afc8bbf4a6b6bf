/** Errors of Ollama: `{"error":"text"}`, before a stream as its answer and inside it as a line. */
import { isObject, textOf } from '../ir/fields.ts';
import type { EngineError } from '../ir/answer.ts';
import type { JsonObject } from '../ir/request.ts';
import { readOverflow } from '../openai/context-overflow.ts';

/** Longest text of an error that is no JSON. */
const textLengthMax = 2000;

/** `text`: body of an error answer. Never throws. */
export function readError(status: number, text: string): EngineError {
  const body = tryParse(text);
  if (isObject(body) && 'error' in body) return readErrorMember(body['error'], status);
  const words = text.trim().slice(0, textLengthMax);
  return { message: words === '' ? `The engine answered with status ${status}` : words, status };
}

/**
 * What stands in `error`: a text, or an object of its OpenAI side. Ollama 0.40 and later hand on the whole error answer
 * of the llama-server behind them as that text.
 */
export function readErrorMember(error: unknown, status?: number): EngineError {
  const said = typeof error === 'string' && error.startsWith('{') ? tryParse(error) : error;
  const inner = isObject(said) ? (isObject(said['error']) ? said['error'] : said) : undefined;
  const message = textOf(inner?.['message']) || textOf(error) || 'The engine failed without saying why';
  const code = inner?.['code'];
  const type = textOf(inner?.['type']);
  const param = textOf(inner?.['param']);
  const told = status ?? (isStatus(code) ? code : undefined);
  const overflow = readOverflow(message, inner ?? {});
  return {
    message,
    ...(told !== undefined && { status: told }),
    ...(type !== '' && { type }),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(param !== '' && { param }),
    ...(overflow !== undefined && { overflow }),
  };
}

function isStatus(code: unknown): code is number {
  return typeof code === 'number' && Number.isInteger(code) && code >= 400 && code <= 599;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** For a client of Ollama's API; the official clients want a string. */
export function writeError({ message }: EngineError): JsonObject {
  return { error: message };
}
