import { anthropic } from './callers/anthropic.ts';
import { runMatrix } from './run-matrix.ts';

runMatrix(anthropic);
