/** Ollama's two embedding routes over an engine that has OpenAI's one: the request, and the way back for its answer. */
import { parseExactJson } from '../../base/exact-json.ts';
import type { Clock } from '../../base/clock.ts';
import type { EngineError } from '../../dialects/ir/answer.ts';
import { isObject } from '../../dialects/ir/fields.ts';
import type { JsonObject } from '../../dialects/ir/request.ts';
import { readError, writeError } from '../../dialects/ollama/errors.ts';
import {
  emptyEmbedAnswer,
  emptyOldEmbedAnswer,
  readEmbedRequest,
  readOldEmbedRequest,
  writeEmbedAnswer,
  writeOldEmbedAnswer,
} from '../../dialects/ollama-surface/embed.ts';
import type { AnswerTransform, EngineHead, TransformedHead } from '../answer-transform.ts';
import { createUsageReader, type UsageResult } from '../usage-reader.ts';
import type { EmbedRouteName } from './dialect-routes.ts';
import { parseObject, readShape } from './read-request.ts';

export const embedPath = '/v1/embeddings';

export interface EmbedSource {
  readonly route: EmbedRouteName;
  readonly body: Buffer;
  readonly arrivedEpochMs: number;
  readonly clock: Clock;
}

export interface TranslatedEmbed {
  readonly body: Buffer;
  readonly dropped: readonly string[];
  readonly answer: AnswerTransform;
  /** There is nothing to embed: what the client gets without any engine. */
  readonly empty: JsonObject | undefined;
}

/** @throws LlameroError request_malformed */
export function translateEmbed(source: EmbedSource): TranslatedEmbed {
  const isOld = source.route === 'ollama-embeddings';
  const read = isOld ? readOldEmbedRequest : readEmbedRequest;
  const { model, inputs, body, dropped } = readShape(() => read(parseObject(source.body)));
  const empty = isOld ? emptyOldEmbedAnswer : { model, ...emptyEmbedAnswer };
  return {
    body: Buffer.from(JSON.stringify(body)),
    dropped,
    answer: new EmbedAnswer(source, model),
    empty: inputs.length === 0 ? empty : undefined,
  };
}

class EmbedAnswer implements AnswerTransform {
  readonly #source: EmbedSource;
  readonly #model: string;
  readonly #usage = createUsageReader({ route: 'embeddings', stream: false, doneRequired: false });
  readonly #chunks: Buffer[] = [];
  #status = 0;
  #error: EngineError | undefined;

  constructor(source: EmbedSource, model: string) {
    this.#source = source;
    this.#model = model;
  }

  get answerHead(): TransformedHead {
    return { status: this.#status, contentType: 'application/json; charset=utf-8' };
  }

  get error(): EngineError | undefined {
    return this.#error;
  }

  head({ status }: EngineHead): boolean {
    this.#status = status;
    return true;
  }

  push(chunk: Buffer): undefined {
    this.#chunks.push(chunk);
    this.#usage.push(chunk);
  }

  end(): Buffer {
    const text = Buffer.concat(this.#chunks).toString();
    return Buffer.from(JSON.stringify(this.#status >= 400 ? this.#fail(text) : this.#write(text)));
  }

  result(): UsageResult {
    return this.#usage.finish();
  }

  #write(text: string): JsonObject {
    const body = tryParse(text);
    const { route, arrivedEpochMs: arrivedMs, clock } = this.#source;
    const context = { model: this.#model, arrivedMs, nowMs: clock.epochMs() };
    const answer = !isObject(body)
      ? undefined
      : route === 'ollama-embeddings'
        ? writeOldEmbedAnswer(body)
        : writeEmbedAnswer(body, context);
    if (answer !== undefined) return answer;
    this.#status = 502;
    return this.#fail('The answer of the engine holds no embeddings');
  }

  #fail(text: string): JsonObject {
    this.#error = readError(this.#status, text);
    return writeError(this.#error);
  }
}

function tryParse(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}
