/** All dialects by name. Nothing else lists them. */
import { anthropicMessages } from './anthropic-messages/index.ts';
import type { Dialect, DialectName } from './dialect.ts';
import { ollamaChat, ollamaGenerate } from './ollama/index.ts';
import { openaiChat } from './openai-chat/index.ts';
import { openaiResponses } from './openai-responses/index.ts';

export const dialects: Readonly<Partial<Record<DialectName, Dialect>>> = {
  'openai-chat': openaiChat,
  'openai-responses': openaiResponses,
  'anthropic-messages': anthropicMessages,
  'ollama-chat': ollamaChat,
  'ollama-generate': ollamaGenerate,
};
