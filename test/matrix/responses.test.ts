import { openaiResponses } from './callers/openai-responses.ts';
import { runMatrix } from './run-matrix.ts';

runMatrix(openaiResponses);
