/** The top-level members of requests that the Responses API documents, and what becomes of each. */
import { isObject } from '../ir/fields.ts';

/** Members of the intermediate representation, and those that the router itself heeds. */
const readMembers = [
  'model',
  'input',
  'instructions',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'reasoning',
  'max_output_tokens',
  'temperature',
  'top_p',
  'top_logprobs',
  'include',
  'metadata',
  'user',
  'stream',
  'store',
  'previous_response_id',
  'background',
  'conversation',
  'prompt',
] as const;

/** Members that stand for nothing outside this API. */
export const ownMembers = [
  'access_programs',
  'context_management',
  'image',
  'max_tool_calls',
  'moderation',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'stream_options',
  'truncation',
] as const;

export const knownMembers: ReadonlySet<string> = new Set([...readMembers, ...ownMembers]);

/** The answer repeats these. */
export const mirroredMembers: ReadonlySet<string> = new Set([
  'instructions',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'reasoning',
  'max_output_tokens',
  'max_tool_calls',
  'temperature',
  'top_p',
  'top_logprobs',
  'metadata',
  'user',
  'store',
  'previous_response_id',
  'prompt_cache_key',
  'safety_identifier',
  'truncation',
]);

/** What `include` says for log probabilities. */
export const logprobsName = 'message.output_text.logprobs';

/** True for values that ask for nothing but what every engine does anyway. */
export function isSatisfied(key: (typeof ownMembers)[number], value: unknown): boolean {
  if (key === 'service_tier') return value === 'auto' || value === 'default';
  if (key === 'truncation') return value === 'disabled';
  return key === 'stream_options' && isObject(value) && value['include_obfuscation'] !== true;
}
