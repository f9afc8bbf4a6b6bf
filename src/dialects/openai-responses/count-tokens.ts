/** `POST /v1/responses/input_tokens`: writes the count. Counts nothing itself. */
import type { JsonObject } from '../ir/request.ts';

/** `inputTokens`: of instructions, items and tools together. */
export function writeCount(inputTokens: number): JsonObject {
  return { object: 'response.input_tokens', input_tokens: inputTokens };
}
