import { ollamaGenerate } from './callers/ollama.ts';
import { runMatrix } from './run-matrix.ts';

runMatrix(ollamaGenerate);
