/**
 * Asks engines for the usage of a stream on the client's behalf, and takes the event that brings it out of the stream
 * again, so that every stream is accounted for and the client gets what it asked for.
 */
import { patchInPieces } from '../base/json-patch.ts';
import { lastMember, type JsonObjectSpan } from '../base/json-scan.ts';
import type { EngineError } from '../dialects/ir/answer.ts';
import type { RouteName } from '../domain/routes.ts';
import type { AnswerTransform, EngineHead, TransformedHead } from './answer-transform.ts';
import { headerValue } from './headers.ts';
import { createUsageReader, type UsageReader, type UsageResult } from './usage-reader.ts';

export interface UsageRequest {
  /** The client's request, changed to ask for usage, in pieces. */
  readonly body: readonly Buffer[];
  /** Takes the usage out of the answer. */
  readonly answer: AnswerTransform;
}

export interface UsageQuestion {
  readonly route: RouteName;
  readonly body: Buffer;
  /** The whole of `body`. */
  readonly object: JsonObjectSpan | undefined;
  /** See EngineKind.endsWithDone. */
  readonly doneRequired: boolean;
}

/** undefined = the client asks itself, or nobody can. Only for requests that want a stream. */
export function tryAskForUsage({
  route,
  body,
  object,
  doneRequired,
}: UsageQuestion): UsageRequest | undefined {
  if (object === undefined || (route !== 'chat-completions' && route !== 'completions')) return undefined;
  const member = lastMember(object, 'stream_options');
  const options = member === undefined ? {} : tryParseObject(body.toString('utf8', member.start, member.end));
  if (options === undefined || options['include_usage'] === true) return undefined;
  const edits = { set: { stream_options: JSON.stringify({ ...options, include_usage: true }) } };
  return { body: patchInPieces(body, edits, object), answer: new UsageFilter(route, doneRequired) };
}

/** One event of a stream that is looked at, its blank line included. */
const eventBytesMax = 1024 * 1024;
const usageKey = Buffer.from('"usage"');
const lf = 0x0a;
const cr = 0x0d;

/** Passes whole events on, and none but the last with usage is looked into. */
class UsageFilter implements AnswerTransform {
  readonly #usage: UsageReader;
  /** The event whose end has not come. */
  #held: Buffer = Buffer.alloc(0);
  #contentType = 'text/event-stream';

  constructor(route: RouteName, doneRequired: boolean) {
    this.#usage = createUsageReader({ route, stream: true, doneRequired });
  }

  get answerHead(): TransformedHead {
    return { status: 200, contentType: this.#contentType };
  }

  get error(): EngineError | undefined {
    return undefined;
  }

  head({ status, headers }: EngineHead): boolean {
    this.#contentType = headerValue(headers, 'content-type') ?? this.#contentType;
    return status === 200 && /^text\/event-stream/i.test(this.#contentType);
  }

  push(chunk: Buffer): Buffer | undefined {
    this.#usage.push(chunk);
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const end = bytes.length > eventBytesMax ? bytes.length : endOfEvents(bytes);
    this.#held = bytes.subarray(end);
    return end === 0 ? undefined : withoutUsage(bytes.subarray(0, end));
  }

  end(): Buffer | undefined {
    const rest = this.#held;
    return rest.length === 0 ? undefined : withoutUsage(rest);
  }

  result(): UsageResult {
    return this.#usage.finish();
  }
}

/** After the last blank line; 0 = there is none. */
function endOfEvents(bytes: Buffer): number {
  for (let at = bytes.lastIndexOf(lf); at > 0; at = bytes.lastIndexOf(lf, at - 1)) {
    if (isBlankLineBefore(bytes, at)) return at + 1;
  }
  return 0;
}

function isBlankLineBefore(bytes: Buffer, at: number): boolean {
  const before = bytes[at - 1] === cr ? at - 2 : at - 1;
  return bytes[before] === lf;
}

function withoutUsage(events: Buffer): Buffer | undefined {
  if (!events.includes(usageKey)) return events;
  const kept = events
    .toString()
    .split(/(?<=\r?\n\r?\n)/)
    .filter((event) => !isUsageOnly(event));
  return kept.length === 0 ? undefined : Buffer.from(kept.join(''));
}

function isUsageOnly(event: string): boolean {
  if (!event.startsWith('data:') || !event.includes('"usage"')) return false;
  const fields = tryParseObject(event.slice('data:'.length));
  const choices = fields?.['choices'];
  return Array.isArray(choices) && choices.length === 0 && isObject(fields?.['usage']);
}

function tryParseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
