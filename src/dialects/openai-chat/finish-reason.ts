/** Why a choice of a chat completion ended: the words of all of OpenAI's completions, but one that depends on the request. */
import type { FinishReason } from '../ir/answer.ts';
import type { ModelRequest } from '../ir/request.ts';
import { writeFinishReason } from '../openai/finish-reason.ts';
import { wantsFunctionCall } from './call-deltas.ts';

export function writeChatReason(reason: FinishReason, request: ModelRequest): string {
  return reason.kind === 'toolCalls' && wantsFunctionCall(request)
    ? 'function_call'
    : writeFinishReason(reason);
}
