/**
 * Turns an engine's answer in its dialect into the client's: stream or whole on either side, errors included. Holds at
 * most one event of a stream, or the whole of an answer that is wanted whole.
 */
import { parseExactJson } from '../../base/exact-json.ts';
import type {
  AnswerContext,
  AnswerStreamReader,
  AnswerStreamWriter,
  Dialect,
} from '../../dialects/dialect.ts';
import type { AnswerEvent, EngineError, OnAnswerEvent, Timings, Usage } from '../../dialects/ir/answer.ts';
import { isObject } from '../../dialects/ir/fields.ts';
import type { JsonObject } from '../../dialects/ir/request.ts';
import { AnswerFold, isEngineError } from '../../dialects/ir/whole-answer.ts';
import { createThinkSplitter } from '../../dialects/think-splitter.ts';
import { onceEach, type OnRepair } from '../../dialects/repairs.ts';
import type { EngineTimings, TokenUsage } from '../../store/request-record.ts';
import type { AnswerNotes } from '../answer-notes.ts';
import type { AnswerTransform, EngineHead, TransformedHead } from '../answer-transform.ts';
import { headerValue } from '../headers.ts';
import type { UsageResult } from '../usage-reader.ts';

export interface AnswerTranslationOptions {
  readonly client: Dialect;
  readonly engine: Dialect;
  readonly context: AnswerContext;
  /** The client asked for a stream. */
  readonly stream: boolean;
  /** Thoughts may stand in the text. */
  readonly splitThoughts: boolean;
  readonly notes: AnswerNotes;
  /** See EngineKind.blamesClient. */
  readonly blamesClient?: ((status: number, body: string) => boolean) | undefined;
  /** Told of each event, in order, before the client gets it. */
  readonly onEvent?: OnAnswerEvent | undefined;
  /** Told of the whole answer as the client gets it, or would get it without a stream. */
  readonly onAnswer?: ((answer: JsonObject) => void) | undefined;
  /** False: what it took is accounted for by another request. Default: true. */
  readonly isAccounted?: boolean;
}

/** Pictures come as text in some answers. */
const wholeBytesMax = 256 * 1024 * 1024;
const errorBytesMax = 256 * 1024;
const jsonType = 'application/json; charset=utf-8';

export class AnswerTranslation implements AnswerTransform {
  readonly #options: AnswerTranslationOptions;
  readonly #writer: AnswerStreamWriter | undefined;
  readonly #fold: AnswerFold | undefined;
  /** Takes the events of the engine. */
  readonly #sink: OnAnswerEvent;
  readonly #onRepair: OnRepair;
  #reader: AnswerStreamReader | undefined;
  /** Of an engine's answer that is no stream. */
  #chunks: Buffer[] = [];
  #bytes = 0;
  #engineStatus = 0;
  #streamBegun = false;
  #head: TransformedHead;
  /** What the client gets next. */
  #text = '';
  #hasWritten = false;
  /** The engine had nothing to say but an error, which is an event because the client's stream had begun. */
  #isRefused = false;
  /** With an error in place of an answer. */
  #isAnswered = false;
  #usage: Usage | undefined;
  #timings: Timings | undefined;
  #isComplete = false;
  #error: EngineError | undefined;

  constructor(options: AnswerTranslationOptions) {
    const { client, context, stream, onAnswer } = options;
    this.#options = options;
    this.#writer = stream ? client.createStreamWriter(context) : undefined;
    this.#fold = stream && onAnswer === undefined ? undefined : new AnswerFold();
    const take: OnAnswerEvent = (event) => this.#take(event);
    const onRepair = onceEach((name) => options.notes.repaired(name));
    this.#onRepair = onRepair;
    this.#sink = options.splitThoughts ? createThinkSplitter(take, { onRepair }) : take;
    this.#head = { status: 200, contentType: stream ? client.streamType : jsonType };
  }

  get answerHead(): TransformedHead {
    return this.#head;
  }

  get error(): EngineError | undefined {
    return this.#error;
  }

  head({ status, headers, streamBegun }: EngineHead): boolean {
    this.#engineStatus = status;
    this.#streamBegun = streamBegun;
    const type = headerValue(headers, 'content-type') ?? '';
    if (status < 400 && type.startsWith(this.#options.engine.streamType)) {
      this.#reader = this.#options.engine.createStreamReader(this.#sink, this.#onRepair);
    }
    return true;
  }

  push(chunk: Buffer): Buffer | undefined {
    const reader = this.#reader;
    if (reader === undefined) {
      this.#bytes += chunk.length;
      if (this.#bytes <= (this.#engineStatus < 400 ? wholeBytesMax : errorBytesMax)) this.#chunks.push(chunk);
      return undefined;
    }
    if (!this.#isOver) this.#guarded(() => reader.push(chunk));
    return this.#written();
  }

  end(): Buffer | undefined {
    const reader = this.#reader;
    if (!this.#isOver) this.#guarded(() => (reader === undefined ? this.#readWhole() : reader.end()));
    this.#guarded(() => this.#finish());
    return this.#written();
  }

  result(): UsageResult {
    const isAccounted = this.#options.isAccounted ?? true;
    const usage = this.#usage && isAccounted ? toTokenUsage(this.#usage) : undefined;
    const timings = this.#timings && isAccounted ? toEngineTimings(this.#timings) : undefined;
    // An error that is the whole of the answer was passed on properly.
    const isBroken = this.#error !== undefined && this.#head.status < 400 && !this.#isRefused;
    return {
      usage,
      timings,
      complete: this.#isComplete || this.#head.status >= 400 || this.#isRefused,
      streamError: isBroken ? this.#error?.message : undefined,
    };
  }

  /** A status of 5xx that blames the request is a fault of the client's, and is told as one. */
  #readError(text: string): EngineError {
    const { engine, blamesClient } = this.#options;
    const status = this.#engineStatus;
    const error = { status, ...engine.readError(status, text) };
    if (status < 500 || blamesClient?.(status, text) !== true) return error;
    const { type: _type, code: _code, ...rest } = error;
    return { ...rest, status: 400 };
  }

  #readWhole(): void {
    const { engine } = this.#options;
    const text = Buffer.concat(this.#chunks).toString();
    this.#chunks = [];
    if (this.#engineStatus >= 400) {
      this.#take({ kind: 'failed', error: this.#readError(text) });
      return;
    }
    const body = this.#bytes > wholeBytesMax ? undefined : tryParse(text);
    if (isObject(body)) engine.readAnswer(body, this.#sink, this.#onRepair);
    else
      this.#take({
        kind: 'failed',
        error: { message: 'The answer of the engine is not a JSON object', status: 502 },
      });
  }

  #take(event: AnswerEvent): void {
    this.#options.onEvent?.(event);
    if (event.kind === 'usage') this.#usage = event.usage;
    else if (event.kind === 'started') this.#usage = event.usage ?? this.#usage;
    else if (event.kind === 'timings') this.#timings = event.timings;
    else if (event.kind === 'progress') this.#options.notes.progress(event.done, event.total);
    else if (event.kind === 'ended') this.#isComplete = true;
    else if (event.kind === 'failed') this.#error ??= event.error;
    this.#fold?.add(event);
    if (this.#writer === undefined) return;
    this.#isRefused ||= event.kind === 'failed' && !this.#hasWritten && this.#text === '';
    // While nothing was sent the client can be told by the status.
    if (event.kind === 'failed' && this.#canAnswerWithStatus) this.#writeError(event.error);
    else this.#text += this.#writer.write(event);
  }

  get #isOver(): boolean {
    return this.#isComplete || this.#error !== undefined;
  }

  get #canAnswerWithStatus(): boolean {
    return !this.#hasWritten && !this.#streamBegun && (this.#writer === undefined || this.#text === '');
  }

  /** What is only known at the end: the whole answer, for a client that wants no stream and for whoever keeps it. */
  #finish(): void {
    const { client, context, onAnswer } = this.#options;
    if (this.#fold === undefined || this.#isAnswered) return;
    const whole = this.#fold.finish();
    if (isEngineError(whole)) {
      this.#error ??= whole;
      if (this.#writer === undefined) this.#writeError(whole);
      return;
    }
    const answer = client.writeAnswer(whole, context);
    if (this.#writer === undefined) this.#text += JSON.stringify(answer);
    onAnswer?.(answer);
  }

  #writeError(error: EngineError): void {
    const status = toErrorStatus(error.status);
    this.#head = { status, contentType: jsonType };
    this.#isAnswered = true;
    this.#text = JSON.stringify(this.#options.client.writeError(error, status));
  }

  #written(): Buffer | undefined {
    if (this.#text === '') return undefined;
    const bytes = Buffer.from(this.#text);
    this.#text = '';
    this.#hasWritten = true;
    return bytes;
  }

  /** A fault in an adapter ends this answer and nothing else. */
  #guarded(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      const error = { message: `The answer of the engine could not be translated: ${reason}`, status: 502 };
      this.#error ??= error;
      if (this.#writer === undefined || this.#canAnswerWithStatus) this.#writeError(error);
      else this.#text += this.#writer.write({ kind: 'failed', error });
    }
  }
}

function tryParse(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

function toErrorStatus(status: number | undefined): number {
  return status !== undefined && Number.isInteger(status) && status >= 400 && status <= 599 ? status : 502;
}

function toTokenUsage(usage: Usage): TokenUsage {
  const { inputTokens, outputTokens, cachedTokens, reasoningTokens } = usage;
  return {
    inputTokens,
    outputTokens,
    cachedTokens: cachedTokens ?? 0,
    estimated: false,
    ...(reasoningTokens !== undefined && { reasoningTokens }),
    ...(cachedTokens === undefined && { cacheUnknown: true as const }),
  };
}

function toEngineTimings(timings: Timings): EngineTimings {
  const { promptTokens = 0, promptMs = 0, cachedTokens = 0, predictedTokens = 0, predictedMs = 0 } = timings;
  return {
    promptTokens,
    promptMs,
    cachedTokens,
    predictedTokens,
    predictedMs,
    ...(promptMs > 0 && { promptRate: (promptTokens * 1000) / promptMs }),
    ...(predictedMs > 0 && { predictedRate: (predictedTokens * 1000) / predictedMs }),
  };
}
