/** The Messages API of Anthropic as a dialect. Nothing else of the folder is for the outside but counting tokens. */
import type { Dialect } from '../dialect.ts';
import { readError, writeError } from './errors.ts';
import { dialectName } from './name.ts';
import { readRequest, writeRequest } from './request.ts';
import { readAnswer, writeAnswer } from './response.ts';
import { MessagesStreamReader } from './stream.ts';
import { MessagesStreamWriter } from './stream-writer.ts';

export const anthropicMessages: Dialect = {
  name: dialectName,
  streamType: 'text/event-stream',
  readRequest,
  writeRequest,
  readAnswer,
  writeAnswer,
  createStreamReader: (onEvent, onRepair) => new MessagesStreamReader(onEvent, onRepair),
  createStreamWriter: (context) => new MessagesStreamWriter(context),
  readError,
  writeError,
};
