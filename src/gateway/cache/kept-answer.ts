/**
 * From what a client got to what is kept, and back: an answer is kept whole, in the form of its API, and given as its
 * client wants it. Pure.
 */
import { parseExactJson } from '../../base/exact-json.ts';
import type { AnswerEvent, OnAnswerEvent, Usage } from '../../dialects/ir/answer.ts';
import { isObject } from '../../dialects/ir/fields.ts';
import type { JsonObject, ModelRequest } from '../../dialects/ir/request.ts';
import { AnswerFold, isEngineError, type WholeAnswer } from '../../dialects/ir/whole-answer.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { CacheRefusal, SavedTokens } from '../../store/cache/cache-use.ts';
import type { RequestRecord } from '../../store/request-record.ts';
import { findUsage } from '../usage-numbers.ts';
import type { Speech } from './cacheable-request.ts';
import { identityTokens, isPersonal } from './personal.ts';
import { systemText } from './question.ts';

export interface GivenAnswer {
  /** undefined = more than there is room for. */
  readonly bytes: Buffer | undefined;
  readonly outcome: Outcome;
  readonly record: Pick<RequestRecord, 'status' | 'errorMessage' | 'repairs' | 'stream' | 'usage'>;
  /** undefined = the answer is JSON of an API without a dialect. */
  readonly speech: Speech | undefined;
  /** Everybody would get it. */
  readonly isForAll: boolean;
}

export interface KeptEntry {
  /** JSON text. */
  readonly body: string;
  /** It says something about a person, so that only the same request may get it. */
  readonly isPersonal: boolean;
}

export interface NotKept {
  readonly refusal: CacheRefusal;
}

/** Repairs that change what the engine is asked. */
const askingOtherwise: ReadonlySet<string> = new Set(['trimContext', 'dropTools', 'dropImages']);
/** Pieces of text in a replayed stream. */
const pieceChars = 64;

export function toEntry(given: GivenAnswer): KeptEntry | NotKept {
  const { bytes, outcome, record, speech } = given;
  const { status, errorMessage, repairs } = record;
  if (outcome !== 'completed' || status !== 200 || errorMessage !== undefined) return { refusal: 'unclean' };
  if (bytes === undefined) return { refusal: 'tooLarge' };
  if (repairs.some(({ repair }) => askingOtherwise.has(repair))) return { refusal: 'repaired' };
  if (speech !== undefined) return toSpokenEntry(given, bytes, speech);
  const body = bytes.toString();
  return tryParse(body) === undefined ? { refusal: 'unclean' } : { body, isPersonal: false };
}

/** The pieces of a stream; undefined = what was kept cannot be read. */
export function toStream(body: string, { dialect, context }: Speech): readonly string[] | undefined {
  const answer = tryParse(body);
  if (answer === undefined) return undefined;
  const writer = dialect.createStreamWriter(context);
  const pieces: string[] = [];
  let isWhole = false;
  dialect.readAnswer(answer, (event) => {
    isWhole ||= event.kind === 'ended';
    for (const part of inPieces(event)) pieces.push(writer.write(part));
  });
  return isWhole ? pieces.filter((piece) => piece !== '') : undefined;
}

/** Of the request that an engine answered; undefined = the answer does not tell. */
export function savedBy(body: string, speech: Speech | undefined): SavedTokens | undefined {
  if (speech === undefined) return findUsage(Buffer.from(body));
  const fold = new AnswerFold();
  const answer = tryParse(body);
  if (answer !== undefined) speech.dialect.readAnswer(answer, (event) => fold.add(event));
  const whole = fold.finish();
  return isEngineError(whole) ? undefined : whole.usage;
}

function toSpokenEntry(
  { record, isForAll }: GivenAnswer,
  bytes: Buffer,
  speech: Speech,
): KeptEntry | NotKept {
  const { dialect, context } = speech;
  const whole = toWhole(bytes, record.stream, speech);
  if (whole === undefined) return { refusal: 'unclean' };
  const refusal = findRefusal(whole, context.request);
  if (refusal !== undefined) return { refusal };
  const tokens = identityTokens(systemText(context.request));
  const personal = isPersonal(textOf(whole), tokens);
  if (personal && isForAll && tokens.length === 0) return { refusal: 'personal' };
  const usage = whole.usage ?? usageOf(record);
  const body = record.stream
    ? JSON.stringify(dialect.writeAnswer({ ...whole, usage }, context))
    : bytes.toString();
  return { body, isPersonal: personal };
}

/** undefined = it is not an answer that came to its end. */
function toWhole(bytes: Buffer, isStream: boolean, { dialect }: Speech): WholeAnswer | undefined {
  const fold = new AnswerFold();
  const add: OnAnswerEvent = (event) => fold.add(event);
  if (isStream) {
    const reader = dialect.createStreamReader(add);
    reader.push(bytes);
    reader.end();
  } else {
    const answer = tryParse(bytes.toString());
    if (answer !== undefined) dialect.readAnswer(answer, add);
  }
  const whole = fold.finish();
  return isEngineError(whole) ? undefined : whole;
}

function findRefusal({ choices }: WholeAnswer, { sampling }: ModelRequest): CacheRefusal | undefined {
  const [choice, ...others] = choices;
  if (choice === undefined) return 'unclean';
  if (others.length > 0) return 'several';
  const { kind } = choice.reason;
  if (kind === 'stop' || kind === 'toolCalls') return undefined;
  if (kind !== 'length') return 'unclean';
  return sampling.maxTokens === undefined ? 'truncated' : undefined;
}

/** All that the model has said, thoughts and calls included. */
function textOf({ choices }: WholeAnswer): string {
  const parts = choices.flatMap((choice) => choice.parts);
  return parts.map((part) => (part.kind === 'toolCall' ? part.arguments : part.text)).join('\n');
}

/** Counts that the stream did not tell its client. */
function usageOf({ usage }: GivenAnswer['record']): Usage | undefined {
  if (usage === undefined || usage.estimated) return undefined;
  const { inputTokens, outputTokens } = usage;
  return { inputTokens, outputTokens };
}

/** As a model would write it, so that clients see a stream. */
function inPieces(event: AnswerEvent): readonly AnswerEvent[] {
  if (event.kind !== 'text' && event.kind !== 'reasoning') return [event];
  if (event.kind === 'text' && event.logprobs !== undefined) return [event];
  const chars = Array.from(event.text);
  if (chars.length <= pieceChars) return [event];
  return Array.from({ length: Math.ceil(chars.length / pieceChars) }, (_, index) => ({
    ...event,
    text: chars.slice(index * pieceChars, (index + 1) * pieceChars).join(''),
  }));
}

function tryParse(text: string): JsonObject | undefined {
  try {
    const value = parseExactJson(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
