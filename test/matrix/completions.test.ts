import { openaiCompletions } from './callers/openai-completions.ts';
import { runMatrix } from './run-matrix.ts';

runMatrix(openaiCompletions);
