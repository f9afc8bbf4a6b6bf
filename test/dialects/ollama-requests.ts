/** Requests of Ollama's API for tests: read from a few members, written with notes of what was dropped. */
import { ollamaChat, ollamaGenerate } from '../../src/dialects/ollama/index.ts';
import type { Message } from '../../src/dialects/ir/parts.ts';
import type { ChatRequest, JsonObject, ModelRequest, TextRequest } from '../../src/dialects/ir/request.ts';
import { notingTarget } from './habits.ts';

/** The first bytes of one. */
export const png = Buffer.from('\x89PNG\r\n\x1a\n0000', 'latin1').toString('base64');

export function readChat(members: JsonObject): ChatRequest {
  const request = ollamaChat.readRequest({ model: 'm', ...members });
  if (request.kind !== 'chat') throw new Error('not a chat');
  return request;
}

export function readGenerate(members: JsonObject): TextRequest {
  const request = ollamaGenerate.readRequest({ model: 'm', ...members });
  if (request.kind !== 'text') throw new Error('not a text');
  return request;
}

export function write(
  request: ModelRequest,
  dialect = ollamaChat,
): { readonly body: JsonObject | undefined; readonly dropped: readonly string[] } {
  const target = notingTarget();
  return { body: dialect.writeRequest(request, target), dropped: target.dropped };
}

/** A request of another API, without what it asks for. */
export const base = {
  model: 'm',
  stream: true,
  usageInStream: true,
  sampling: {},
  dialect: 'openai-chat',
  own: {},
  extra: {},
} as const;

export const user = (...parts: Message['parts']): Message => ({ role: 'user', parts });
export const text = (value: string) => ({ kind: 'text', text: value }) as const;
