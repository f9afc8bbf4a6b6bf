/**
 * What stands between an engine's answer and its client where the bytes do not pass as they are: put together from a
 * stream, or translated to another dialect.
 */
import type { EngineError } from '../dialects/ir/answer.ts';
import type { UsageResult } from './usage-reader.ts';

/** Head of the answer that the client gets. */
export interface TransformedHead {
  readonly status: number;
  readonly contentType: string;
}

export interface EngineHead {
  readonly status: number;
  /** As the engine sent them, names and values alternating. */
  readonly headers: readonly string[];
  /** The client's stream has begun with bytes of the router's own: an error can only be an event. */
  readonly streamBegun: boolean;
}

export interface AnswerTransform {
  /** The engine's answer has begun. False: it is not for this object and passes as it is. */
  head(head: EngineHead): boolean;
  /** What the client gets for a chunk of the engine; undefined = nothing yet. */
  push(chunk: Buffer): Buffer | undefined;
  /** The rest of it, after the engine's last chunk. */
  end(): Buffer | undefined;
  /** Holds from the first bytes that `push` or `end` gave. */
  readonly answerHead: TransformedHead;
  /** What there is to know of the answer so far, for the records. Also for one that broke off. */
  result(): UsageResult;
  /** The engine's error, in whatever place it said it. */
  readonly error: EngineError | undefined;
}
