/** `POST /v1/messages/count_tokens`: reads what is to be counted and writes the count. Counts nothing itself. */
import type { ChatRequest, JsonObject } from '../ir/request.ts';
import { readConversation } from './request.ts';

/** The members of a message request without the limit. @throws RequestShapeError */
export function readCountRequest(body: JsonObject): ChatRequest {
  return readConversation(body);
}

/** `inputTokens`: of system prompt, messages and tools together. */
export function writeCount(inputTokens: number): JsonObject {
  return { input_tokens: inputTokens };
}
