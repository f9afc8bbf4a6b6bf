/** Errors of text completions: those of all of OpenAI's APIs. */
export { readError, writeError } from '../openai/errors.ts';
