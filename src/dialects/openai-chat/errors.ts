/** Errors of chat completions: those of all of OpenAI's APIs. */
export { readError, writeError } from '../openai/errors.ts';
