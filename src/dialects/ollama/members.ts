/** Which members the requests of Ollama's two endpoints have, and which of them no other API has a word for. */
import type { DialectName } from '../dialect.ts';

export type OllamaName = Extract<DialectName, 'ollama-chat' | 'ollama-generate'>;

/** Members of both that the common record stands for. */
const commonMembers = [
  'model',
  'stream',
  'format',
  'options',
  'think',
  'keep_alive',
  'logprobs',
  'top_logprobs',
] as const;
const commonOwn = ['truncate', 'shift', '_debug_render_only'] as const;

export const members: Readonly<Record<OllamaName, ReadonlySet<string>>> = {
  'ollama-chat': new Set([...commonMembers, 'messages', 'tools']),
  'ollama-generate': new Set([...commonMembers, 'prompt', 'suffix', 'system', 'raw', 'images']),
};
/** Members that other APIs have no word for. */
export const ownMembers: Readonly<Record<OllamaName, ReadonlySet<string>>> = {
  'ollama-chat': new Set(commonOwn),
  'ollama-generate': new Set([...commonOwn, 'template', 'context', 'width', 'height', 'steps']),
};

export function isOllamaName(name: DialectName): name is OllamaName {
  return name === 'ollama-chat' || name === 'ollama-generate';
}
