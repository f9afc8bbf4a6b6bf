/** Counts for the Responses API by an engine that counts what it would be asked in its place: a chat completion. */
import { dialects } from '../../dialects/index.ts';
import type { JsonObject, ModelRequest } from '../../dialects/ir/request.ts';
import type { ModelName } from '../../domain/ids.ts';
import type { Backend } from '../../engines/backend.ts';
import { parseObject, readModelRequest } from './read-request.ts';

export interface CountSource {
  readonly backend: Backend;
  readonly body: Buffer;
  /** The body, where it was read before. */
  readonly asked: ModelRequest | undefined;
  /** By its canonical name on the backend. */
  readonly model: ModelName | undefined;
}

export interface TranslatedCount {
  readonly path: string;
  readonly body: Buffer;
  /** What the engine could not be told, by its name in the client's request. */
  readonly dropped: readonly string[];
}

/** Its answer is already as the client wants it. undefined = the engine counts no such thing. @throws LlameroError request_malformed */
export function tryTranslateCount(source: CountSource): TranslatedCount | undefined {
  const { habits } = source.backend.kind;
  if (habits.countsChatTokens !== true) return undefined;
  const request = source.asked ?? readCount(parseObject(source.body), source.model);
  const dropped = new Set<string>();
  const onDropped = (field: string): void => void dropped.add(field);
  const body = dialects['openai-chat'].writeRequest({ ...request, stream: false }, { habits, onDropped });
  return (
    body && {
      path: '/v1/chat/completions/input_tokens',
      body: Buffer.from(JSON.stringify(body)),
      dropped: [...dropped],
    }
  );
}

/** What is to be counted. `input` may be left out. @throws LlameroError request_malformed */
export function readCount(body: JsonObject, model: ModelName | undefined): ModelRequest {
  return readModelRequest('responses', { ...body, input: body['input'] ?? [] }, model);
}
