/** Errors of the Responses API: those of all of OpenAI's APIs, and its own ways to say them inside a stream. */
import type { EngineError } from '../ir/answer.ts';
import { isObject } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import { errorIn } from '../openai/errors.ts';

export { readError, writeError } from '../openai/errors.ts';

const unsaid: EngineError = { message: 'The engine failed without saying why' };

/** The error of an `error` event, which is the event itself at OpenAI, or of a response that failed. Never throws. */
export function readFailure(body: JsonObject): EngineError {
  const error = errorIn(body);
  if (error !== undefined) return error;
  if (isObject(body['error']) || typeof body['message'] !== 'string') return unsaid;
  // The type is that of the event.
  const { type: _, ...bare } = body;
  return errorIn({ error: bare }) ?? unsaid;
}

/** What a response says that failed. Codex decides by the code whether to try again. */
export function writeFailure({ message, status = 500, code, overflow }: EngineError): JsonObject {
  return { code: overflow === undefined ? failureCode(status, code) : 'context_length_exceeded', message };
}

function failureCode(status: number, code: EngineError['code']): string {
  if (typeof code === 'string' && code !== '') return code;
  if (status === 429) return 'rate_limit_exceeded';
  return status >= 400 && status < 500 ? 'invalid_prompt' : 'server_error';
}
