import { openaiChat } from './callers/openai-chat.ts';
import { runMatrix } from './run-matrix.ts';

runMatrix(openaiChat);
