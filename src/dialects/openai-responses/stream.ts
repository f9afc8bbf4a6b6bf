/** Streams of the Responses API, both directions. */
import type { AnswerContext, AnswerStreamReader, AnswerStreamWriter } from '../dialect.ts';
import type { OnAnswerEvent } from '../ir/answer.ts';
import type { OnRepair } from '../repairs.ts';
import { ResponsesStreamReader } from './read-stream.ts';
import { ResponsesStreamWriter } from './write-stream.ts';

export function createStreamReader(onEvent: OnAnswerEvent, onRepair?: OnRepair): AnswerStreamReader {
  return new ResponsesStreamReader(onEvent, onRepair);
}

export function createStreamWriter(context: AnswerContext): AnswerStreamWriter {
  return new ResponsesStreamWriter(context);
}
