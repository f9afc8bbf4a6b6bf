/**
 * From what a client got to what is kept, and back: an answer is kept whole, in the form of its API, and given as its
 * client wants it. Pure.
 */
import { parseExactJson } from '../../base/exact-json.ts';
import type { AnswerContext, Dialect } from '../../dialects/dialect.ts';
import type { AnswerEvent, OnAnswerEvent, Usage } from '../../dialects/ir/answer.ts';
import { isObject } from '../../dialects/ir/fields.ts';
import type { ModelRequest } from '../../dialects/ir/request.ts';
import { AnswerFold, isEngineError, type WholeAnswer } from '../../dialects/ir/whole-answer.ts';
import type { CacheRefusal } from '../../store/cache/cache-use.ts';

export interface GivenAnswer {
  readonly bytes: Buffer;
  readonly isStream: boolean;
  readonly dialect: Dialect;
  readonly context: AnswerContext;
  /** Where the answer did not tell its client; undefined = nobody knows. */
  readonly usage: Usage | undefined;
}

/** Pieces of text in a replayed stream. */
const pieceChars = 64;

/** JSON text, or why it is nothing to be given again. */
export function toKeptAnswer(
  given: GivenAnswer,
): { readonly body: string } | { readonly refusal: CacheRefusal } {
  const { bytes, isStream, dialect, context } = given;
  const fold = new AnswerFold();
  const add: OnAnswerEvent = (event) => fold.add(event);
  if (isStream) {
    const reader = dialect.createStreamReader(add);
    reader.push(bytes);
    reader.end();
  } else {
    const answer = tryParseObject(bytes.toString());
    if (answer === undefined) return { refusal: 'unclean' };
    dialect.readAnswer(answer, add);
  }
  const whole = fold.finish();
  if (isEngineError(whole)) return { refusal: 'unclean' };
  const refusal = findRefusal(whole, context.request);
  if (refusal !== undefined) return { refusal };
  if (!isStream) return { body: bytes.toString() };
  return {
    body: JSON.stringify(dialect.writeAnswer({ ...whole, usage: whole.usage ?? given.usage }, context)),
  };
}

/** The pieces of a stream; undefined = what was kept cannot be read. */
export function toStream(
  body: string,
  dialect: Dialect,
  context: AnswerContext,
): readonly string[] | undefined {
  const answer = tryParseObject(body);
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

/** True for JSON text of an object or a list. */
export function isJson(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
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

/** As a model would write it, so that clients see a stream. */
function inPieces(event: AnswerEvent): readonly AnswerEvent[] {
  const isLong =
    (event.kind === 'text' && event.logprobs === undefined) || event.kind === 'reasoning'
      ? event.text !== ''
      : false;
  if (!isLong || (event.kind !== 'text' && event.kind !== 'reasoning')) return [event];
  const chars = Array.from(event.text);
  const count = Math.ceil(chars.length / pieceChars);
  return Array.from({ length: count }, (_, index) => ({
    ...event,
    text: chars.slice(index * pieceChars, (index + 1) * pieceChars).join(''),
  }));
}

function tryParseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = parseExactJson(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
