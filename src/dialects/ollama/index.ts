/** Ollama's own API, `/api/chat` and `/api/generate`: two dialects that share all but the shape of what is said. */
import type { Dialect } from '../dialect.ts';
import { readError, writeError } from './errors.ts';
import { readChatRequest, readGenerateRequest } from './request.ts';
import { readAnswer, writeAnswer } from './response.ts';
import { createStreamReader, createStreamWriter } from './stream.ts';
import type { SaidMembers } from './stream.ts';
import { writeChatRequest, writeGenerateRequest } from './write-request.ts';

const streamType = 'application/x-ndjson';

const chatMembers: SaidMembers = ({ text, thinking, calls }) => ({
  message: {
    role: 'assistant',
    content: text,
    ...(thinking !== undefined && { thinking }),
    ...(calls !== undefined && { tool_calls: calls }),
  },
});

const generateMembers: SaidMembers = ({ text, thinking, calls }) => ({
  response: text,
  ...(thinking !== undefined && { thinking }),
  ...(calls !== undefined && { tool_calls: calls }),
});

export const ollamaChat: Dialect = {
  name: 'ollama-chat',
  streamType,
  readRequest: readChatRequest,
  writeRequest: writeChatRequest,
  readAnswer,
  writeAnswer: (answer, context) => writeAnswer(chatMembers, answer, context),
  createStreamReader,
  createStreamWriter: (context) => createStreamWriter(chatMembers, context),
  readError,
  writeError,
};

export const ollamaGenerate: Dialect = {
  name: 'ollama-generate',
  streamType,
  readRequest: readGenerateRequest,
  writeRequest: writeGenerateRequest,
  readAnswer,
  writeAnswer: (answer, context) => writeAnswer(generateMembers, answer, context),
  createStreamReader,
  createStreamWriter: (context) => createStreamWriter(generateMembers, context),
  readError,
  writeError,
};
