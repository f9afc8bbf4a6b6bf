/** The dialect of `POST /v1/completions`. */
import type { Dialect } from '../dialect.ts';
import { readError, writeError } from './errors.ts';
import { readRequest, writeRequest } from './request.ts';
import { readAnswer, writeAnswer } from './response.ts';
import { createStreamReader, createStreamWriter } from './stream.ts';

export const openaiCompletions: Dialect = {
  name: 'openai-completions',
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
