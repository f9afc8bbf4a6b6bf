/** One request to a member of an ensemble whose answer the ensemble reads itself. Adds up what such requests have used. */
import { isDeepStrictEqual } from 'node:util';
import { parseExactJson } from '../../base/exact-json.ts';
import type { Dialect } from '../../dialects/dialect.ts';
import { dialects } from '../../dialects/index.ts';
import { isObject } from '../../dialects/ir/fields.ts';
import type { ChatRequest, JsonObject } from '../../dialects/ir/request.ts';
import { AnswerFold, isEngineError } from '../../dialects/ir/whole-answer.ts';
import type { EngineHabits } from '../../domain/engine-habits.ts';
import { LlameroError } from '../../domain/errors.ts';
import type { RequestId } from '../../domain/ids.ts';
import type { TranslatableRoute } from '../../domain/routes.ts';
import {
  callInside,
  readWhole,
  type BeginExchange,
  type InnerAnswer,
  type InnerCaller,
} from '../inner-call/inner-call.ts';
import { dialectRoutes } from '../translation/dialect-routes.ts';
import { wordsOf } from './inner-requests.ts';
import type { UsageSum } from './usage-sum.ts';

export type Purpose = 'answer' | 'critique' | 'final';

/** What is left of an answer that was none, for the client in case that there is no other one. */
export interface Refusal {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

export type Reply =
  | { readonly kind: 'words'; readonly words: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'broken'; readonly error: LlameroError };

export interface MemberCallOptions {
  readonly begin: BeginExchange;
  readonly caller: InnerCaller;
  /** Of the ensemble. */
  readonly parent: RequestId;
  /** By which members are asked. */
  readonly route: TranslatableRoute;
  /** The client's body, where it came by the same route, and what was read from it. */
  readonly asked: { readonly body: JsonObject; readonly request: ChatRequest } | undefined;
  readonly signal: AbortSignal;
  readonly usage: UsageSum;
}

const wholeBytesMax = 64 * 1024 * 1024;
/** Of the router itself, which reads everything that its dialects can say. */
const habits: EngineHabits = {
  unknownMembers: 'ignored',
  takesMoreSamplers: true,
  repeatPenaltyName: 'repeat_penalty',
  reasoningControl: 'template',
  reasoningBudgetMember: 'thinking_budget_tokens',
  reasoningMember: 'reasoning_content',
  takesDeveloperRole: true,
  takesToolChoice: true,
  takesImageUrls: true,
  streamsTellUsage: false,
  tellsProgress: false,
  keepsAnswers: false,
  wantsMaxCompletionTokens: false,
};

/** Sends the request; the answer is the caller's to read. Rejects with LlameroError not_supported, or as `callInside` does. */
export async function askMember(
  options: MemberCallOptions,
  request: ChatRequest,
  purpose: Purpose,
): Promise<InnerAnswer & { readonly dropped: readonly string[] }> {
  const { begin, caller, parent, route, signal } = options;
  const { dialect, path } = dialectRoutes[route];
  const { body, dropped } = writeBody(dialects[dialect], request, options.asked);
  const answer = await callInside(begin, { path, body, caller, parent: { id: parent, purpose }, signal });
  return { ...answer, dropped };
}

/** The whole of an answer, in words. Rejects with what `signal` was aborted with, and with nothing else. */
export async function hearMember(
  options: MemberCallOptions,
  request: ChatRequest,
  purpose: Purpose,
): Promise<Reply> {
  try {
    const answer = await askMember(options, request, purpose);
    const { status, headers, record } = answer;
    const body = await readWhole(answer, wholeBytesMax);
    options.usage.add(record.usage);
    if (status >= 400) return { kind: 'refused', refusal: { status, headers, body } };
    return { kind: 'words', words: readWords(options.route, parse(body)) };
  } catch (thrown) {
    options.signal.throwIfAborted();
    return { kind: 'broken', error: LlameroError.from(thrown) };
  }
}

/** @throws LlameroError not_supported */
function writeBody(
  dialect: Dialect,
  request: ChatRequest,
  asked: MemberCallOptions['asked'],
): { readonly body: JsonObject; readonly dropped: readonly string[] } {
  const dropped = new Set<string>();
  const write = (each: ChatRequest): JsonObject => {
    const body = dialect.writeRequest(each, { habits, onDropped: (field) => void dropped.add(field) });
    if (body !== undefined) return body;
    throw new LlameroError('not_supported', 'An ensemble cannot put this request to its members');
  };
  const body = write(request);
  // What the client said in its own words is still there.
  if (asked !== undefined) return { body: withChanges(asked.body, write(asked.request), body), dropped: [] };
  return { body, dropped: [...dropped] };
}

/** The client's own words for all that is as the client wants it: engines have names of their own for some of it. */
function withChanges(own: JsonObject, before: JsonObject, after: JsonObject): JsonObject {
  const body: Record<string, unknown> = { ...own };
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (isDeepStrictEqual(before[key], after[key])) continue;
    if (Object.hasOwn(after, key)) body[key] = after[key];
    else delete body[key];
  }
  return body;
}

/** @throws LlameroError backend_protocol */
function readWords(route: TranslatableRoute, body: JsonObject): string {
  const fold = new AnswerFold();
  dialects[dialectRoutes[route].dialect].readAnswer(body, (event) => fold.add(event));
  const whole = fold.finish();
  if (isEngineError(whole)) throw new LlameroError('backend_protocol', whole.message);
  const words = wordsOf(whole);
  if (words === '') throw new LlameroError('backend_protocol', 'The answer is empty');
  return words;
}

/** @throws LlameroError backend_protocol */
function parse(body: Buffer): JsonObject {
  const value = tryParse(body.toString());
  if (isObject(value)) return value;
  throw new LlameroError('backend_protocol', 'The answer is not a JSON object');
}

function tryParse(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}
