/** OpenAI's Responses API as a dialect. */
import type { Dialect } from '../dialect.ts';
import { readError, writeError } from './errors.ts';
import { dialectName } from './name.ts';
import { readRequest } from './request.ts';
import { readAnswer, writeAnswer } from './response.ts';
import { createStreamReader, createStreamWriter } from './stream.ts';
import { writeRequest } from './write-request.ts';

export const openaiResponses: Dialect = {
  name: dialectName,
  streamType: 'text/event-stream',
  readRequest,
  writeRequest,
  readAnswer,
  writeAnswer,
  createStreamReader,
  createStreamWriter,
  readError,
  writeError,
};
