/**
 * What a dialect is: how its requests and answers are read and written. One folder per dialect with the same files
 * (request, response, stream, errors); nothing outside knows a shape of any of them.
 */
import type { EngineHabits } from '../domain/engine-habits.ts';
import type { AnswerEvent, EngineError, OnAnswerEvent } from './ir/answer.ts';
import type { JsonObject, ModelRequest } from './ir/request.ts';
import type { WholeAnswer } from './ir/whole-answer.ts';
import type { OnRepair } from './repairs.ts';

export type DialectName =
  | 'openai-chat'
  | 'openai-completions'
  | 'openai-responses'
  | 'anthropic-messages'
  | 'ollama-chat'
  | 'ollama-generate';

export interface WriteTarget {
  readonly habits: EngineHabits;
  /** Told of everything that the target cannot be told, by its path in the client's request; may repeat. */
  readonly onDropped: (field: string) => void;
}

/** What a writer of answers has to know beyond the events. */
export interface AnswerContext {
  /** The request that is answered, as the client meant it. */
  readonly request: ModelRequest;
  /** The model's name as the client said it. */
  readonly model: string;
  /** Of the request, unique; ids of the answer are made from it where the engine's own do not serve. */
  readonly requestId: string;
  /** Unix time in milliseconds when the request came. */
  readonly arrivedMs: number;
  /** Unix time in milliseconds, now. */
  readonly nowMs: () => number;
}

/** Bytes of an engine's stream in, events out. */
export interface AnswerStreamReader {
  /** Any split of the stream gives the same events. Never throws: what cannot be read becomes `failed`. */
  push(chunk: Buffer): void;
  /** The engine ended the stream. Emits `failed` when it had come to no proper end. Nothing follows `ended` or `failed`. */
  end(): void;
}

/** Events in, text of the client's stream out. */
export interface AnswerStreamWriter {
  /** What the client is to get for the event; '' = nothing. After `ended` or `failed` the stream is complete. */
  write(event: AnswerEvent): string;
}

export interface Dialect {
  readonly name: DialectName;
  /** Content type of its streams. */
  readonly streamType: 'text/event-stream' | 'application/x-ndjson';

  /** A client's request. @throws RequestShapeError */
  readRequest(body: JsonObject): ModelRequest;
  /** The request as an engine that speaks this dialect wants it; undefined = it cannot be said in this dialect at all. */
  writeRequest(request: ModelRequest, target: WriteTarget): JsonObject | undefined;

  /** An engine's whole answer. Emits `started` … `ended`, or `failed` when it is not an answer of this dialect. */
  readAnswer(body: JsonObject, onEvent: OnAnswerEvent, onRepair?: OnRepair): void;
  /** The whole answer as the client wants it: a JSON object. */
  writeAnswer(answer: WholeAnswer, context: AnswerContext): JsonObject;

  createStreamReader(onEvent: OnAnswerEvent, onRepair?: OnRepair): AnswerStreamReader;
  createStreamWriter(context: AnswerContext): AnswerStreamWriter;

  /** An engine's error answer. `text`: its body. */
  readError(status: number, text: string): EngineError;
  /** The error as a client of this dialect wants it: a JSON object. `status`: the HTTP status that goes with it. */
  writeError(error: EngineError, status: number): JsonObject;
}
