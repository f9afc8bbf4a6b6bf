/** What of a conversation is compared with others, and what must be the same for that. Pure. */
import type { SemanticConfig } from '../../config/schema-cache.ts';
import type { Message } from '../../dialects/ir/parts.ts';
import type { ModelRequest } from '../../dialects/ir/request.ts';

export interface ComparedQuestion {
  /** The last thing that was said, and what was said before it; undefined = that is not compared but must be the same. */
  readonly text: string;
  readonly before: string | undefined;
  /** Must be the same, beside everything else of the request. */
  readonly fixed: readonly Message[];
}

/** Members of a body that hold the conversation. */
export const conversationMembers = ['messages', 'input'];
/** Models for embeddings read little more; of a long conversation the end counts. */
const beforeCharsMax = 8000;

/** undefined = it can be compared with nothing: no conversation, or its last word is not text of a user. */
export function toQuestion(
  request: ModelRequest,
  { historyWeight }: Pick<SemanticConfig, 'historyWeight'>,
): ComparedQuestion | undefined {
  if (request.kind !== 'chat') return undefined;
  const last = request.messages.at(-1);
  const text = last?.role === 'user' ? tryText(last) : undefined;
  if (text === undefined || text.trim() === '') return undefined;
  const before = request.messages.slice(0, -1);
  if (historyWeight === undefined) return { text, before: undefined, fixed: before };
  const said = before.filter(({ role }) => role !== 'system' && role !== 'developer');
  const saidText = said.map((message) => textIn(message)).join('\n');
  return {
    text,
    before: saidText === '' ? undefined : saidText.slice(-beforeCharsMax),
    fixed: before.filter((message) => !said.includes(message)),
  };
}

/** What the system prompt says. */
export function systemText(request: ModelRequest): string {
  if (request.kind === 'text') return request.system ?? '';
  const prompts = request.messages.filter(({ role }) => role === 'system' || role === 'developer');
  return prompts.map((message) => textIn(message)).join('\n');
}

/** undefined = there is something else in it. */
function tryText(message: Message): string | undefined {
  return message.parts.every(({ kind }) => kind === 'text') ? textIn(message) : undefined;
}

function textIn({ parts }: Message): string {
  return parts.map((part) => (part.kind === 'text' ? part.text : '')).join('\n');
}
