/** Why a text completion ended: it has fewer words for it than a chat. */
import type { FinishReason } from '../ir/answer.ts';
import { writeFinishReason } from '../openai/finish-reason.ts';

export function writeTextReason(reason: FinishReason): string {
  return reason.kind === 'toolCalls' ? 'stop' : writeFinishReason(reason);
}
