import { ollamaChat } from './callers/ollama.ts';
import { runMatrix } from './run-matrix.ts';

runMatrix(ollamaChat);
