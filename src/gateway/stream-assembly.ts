/**
 * Asks llama-server as a stream for what the client wants whole, and puts the whole answer together: the same JSON that
 * the engine would have sent. Worth the work because llama-server notices that a client has left only while it streams.
 */
import type { JsonEdits } from '../base/json-patch.ts';
import { patchInPieces, preparedEdits } from '../base/json-patch.ts';
import { lastMember } from '../base/json-scan.ts';
import type { JsonObjectSpan } from '../base/json-scan.ts';
import { SseOverflow, SseReader } from '../base/sse-reader.ts';
import type { EngineError } from '../dialects/ir/answer.ts';
import { LlameroError } from '../domain/errors.ts';
import type { RouteName } from '../domain/routes.ts';
import type { AnswerTransform, EngineHead, TransformedHead } from './answer-transform.ts';
import type { AnswerNotes } from './answer-notes.ts';
import { createChatParts } from './assembly/chat-parts.ts';
import { createCompletionParts } from './assembly/completion-parts.ts';
import { isFields } from './assembly/fields.ts';
import type { AnswerParts, Fields } from './assembly/fields.ts';
import { createNativeParts } from './assembly/native-parts.ts';
import { errorBody } from './error-response.ts';
import { headerValue } from './headers.ts';
import { engineErrorMessage } from './late-error.ts';
import { createUsageReader, type UsageResult } from './usage-reader.ts';

export interface StreamedSource {
  readonly route: RouteName;
  readonly body: Buffer;
  /** The whole of `body`; undefined = it is no JSON object. */
  readonly object: JsonObjectSpan | undefined;
  readonly notes: Pick<AnswerNotes, 'progress'>;
}

export interface StreamedRequest {
  /** The client's request, changed to ask for a stream, in pieces. */
  readonly body: readonly Buffer[];
  /**
   * Gives the whole answer at the end: the engine's; the error that its stream carried, with its status; 502 for a stream
   * without its proper end.
   */
  readonly assembly: AnswerTransform;
}

/** A native event repeats the whole prompt. */
const eventBytesMax = 256 * 1024 * 1024;

/**
 * undefined = the exact answer cannot be had from a stream: another route, no JSON object, a stream already, or a request
 * whose stream leaves something out. llama-server's streams leave out: the last text when it may be the beginning of a
 * `stop` string, probabilities of tokens that show no text, and what `verbose` adds.
 */
export function toStreamedRequest(source: StreamedSource): StreamedRequest | undefined {
  const { route, body, object, notes } = source;
  if (object === undefined || streamLosing.some((key) => isOn(body, object, key))) return undefined;
  const plan = planOf(route, body, object);
  return (
    plan && { body: patchInPieces(body, plan.edits, object), assembly: new Assembly({ route, plan, notes }) }
  );
}

const streamLosing = ['stream', 'stop', 'logprobs', 'n_probs', 'verbose'];

interface Plan {
  readonly edits: JsonEdits;
  readonly parts: AnswerParts;
  /** The stream ends with `data: [DONE]`; without, its last events tell. */
  readonly hasMark: boolean;
}

/** While it reports its progress, llama-server notices during the prompt that its client has left. */
const streaming = { stream: 'true', return_progress: 'true' };
const withUsage = preparedEdits({ ...streaming, stream_options: '{"include_usage":true}' });

function planOf(route: RouteName, body: Buffer, object: JsonObjectSpan): Plan | undefined {
  if (route === 'chat-completions') return { edits: withUsage, parts: createChatParts(), hasMark: true };
  if (route === 'completions') return { edits: withUsage, parts: createCompletionParts(), hasMark: true };
  if (route !== 'native-completion' && route !== 'infill') return undefined;
  const responseFields = lastMember(object, 'response_fields');
  const selected = responseFields && readStrings(body, responseFields);
  return {
    // The engine would leave the fields out that tell the events apart.
    edits: { set: streaming, remove: ['response_fields'] },
    parts: createNativeParts({
      returnTokens: isOn(body, object, 'return_tokens'),
      responseFields: selected ?? [],
    }),
    hasMark: false,
  };
}

/** The member is there and not one of the ways to say no. */
function isOn(body: Buffer, object: JsonObjectSpan, key: string): boolean {
  const member = lastMember(object, key);
  if (member === undefined || member.kind === 'false' || member.kind === 'null') return false;
  return !/^(?:0|""|\[\s*\])$/.test(
    body.toString('latin1', member.start, Math.min(member.end, member.start + 64)),
  );
}

function readStrings(body: Buffer, { start, end }: { start: number; end: number }): string[] {
  try {
    const value: unknown = JSON.parse(body.toString('utf8', start, end));
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
  } catch {
    return [];
  }
}

interface AssemblyOptions {
  readonly route: RouteName;
  readonly plan: Plan;
  readonly notes: Pick<AnswerNotes, 'progress'>;
}

class Assembly implements AnswerTransform {
  readonly #route: RouteName;
  readonly #plan: Plan;
  readonly #notes: Pick<AnswerNotes, 'progress'>;
  readonly #reader: SseReader;
  #status = 200;
  #body: Buffer | undefined;
  #marked = false;
  #error: Fields | undefined;
  #broken: string | undefined;

  constructor({ route, plan, notes }: AssemblyOptions) {
    this.#route = route;
    this.#plan = plan;
    this.#notes = notes;
    this.#reader = new SseReader({ onEvent: ({ data }) => this.#event(data), eventBytesMax });
  }

  get answerHead(): TransformedHead {
    return { status: this.#status, contentType: 'application/json; charset=utf-8' };
  }

  get error(): EngineError | undefined {
    if (this.#status < 400 || this.#body === undefined) return undefined;
    return { status: this.#status, message: engineErrorMessage(this.#status, this.#body) };
  }

  head({ status, headers }: EngineHead): boolean {
    return status === 200 && /^text\/event-stream/i.test(headerValue(headers, 'content-type') ?? '');
  }

  push(chunk: Buffer): undefined {
    if (this.#broken !== undefined) return;
    try {
      this.#reader.push(chunk);
    } catch (thrown) {
      if (!(thrown instanceof SseOverflow)) throw thrown;
      this.#broken = 'The stream of the engine has an event that is too large';
    }
  }

  end(): Buffer {
    this.#body = Buffer.from(this.#whole());
    return this.#body;
  }

  result(): UsageResult {
    const reader = createUsageReader({ route: this.#route, stream: false, doneRequired: false });
    if (this.#body !== undefined && this.#status < 400) reader.push(this.#body);
    return reader.finish();
  }

  #whole(): string {
    if (this.#error !== undefined) {
      this.#status = errorStatus(this.#error);
      return JSON.stringify({ error: this.#error });
    }
    const { parts, hasMark } = this.#plan;
    const answer = hasMark && !this.#marked ? undefined : parts.finish();
    if (answer !== undefined && this.#broken === undefined) return JSON.stringify(answer);
    const error = new LlameroError(
      'backend_protocol',
      this.#broken ?? 'The stream of the engine ended without its end mark',
    );
    this.#status = error.status;
    return errorBody(error, 'openai');
  }

  #event(data: string): void {
    if (data === '[DONE]') {
      this.#marked = true;
      return;
    }
    let event: unknown;
    try {
      event = JSON.parse(data);
    } catch {
      this.#broken ??= 'The stream of the engine has an event that is not JSON';
      return;
    }
    // For a list of prompts llama-server begins with an event `null`.
    if (!isFields(event)) return;
    if (isFields(event['error'])) this.#error ??= event['error'];
    else this.#plan.parts.add(event);
    if (isFields(event['prompt_progress'])) this.#progress(event['prompt_progress']);
  }

  #progress({ processed, total }: Fields): void {
    if (typeof processed === 'number' && typeof total === 'number') this.#notes.progress(processed, total);
  }
}

/** What llama-server answers without a stream: the same error, its code as status. */
function errorStatus({ code }: Fields): number {
  const isStatus = typeof code === 'number' && Number.isInteger(code) && code >= 400 && code <= 599;
  return isStatus ? code : 500;
}
