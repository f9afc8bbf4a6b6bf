/**
 * An answer as a sequence of events, whoever's API it came by: what every reader emits and every writer takes. A whole
 * answer is the same events at once, so that streamed and not streamed share one translation.
 */
import type { JsonObject } from './request.ts';

export interface TokenProbability {
  readonly token: string;
  readonly logprob: number;
  readonly bytes?: readonly number[];
}

export interface TokenLogprob extends TokenProbability {
  readonly top: readonly TokenProbability[];
}

/**
 * Why a choice ended. stop: the model was done or met a stop text. length: `maxTokens` or the context was used up.
 * toolCalls: it wants tools run. filtered: the service withheld the rest. refused: the model would not. Anything else
 * that an engine says passes as `other`.
 */
export type FinishReason =
  | { readonly kind: 'stop'; readonly stopText?: string }
  | { readonly kind: 'length' | 'toolCalls' | 'filtered' | 'refused' | 'paused' }
  | { readonly kind: 'other'; readonly reason: string };

/** Counts are of tokens. */
export interface Usage {
  /** All of the prompt, cached or not. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Part of `inputTokens` that came from a cache; absent = the engine does not tell. */
  readonly cachedTokens?: number;
  /** Part of `inputTokens` that was written to a paid cache. */
  readonly cacheWriteTokens?: number;
  /** Part of `outputTokens`. */
  readonly reasoningTokens?: number;
}

/** What an engine says of its own speed. */
export interface Timings {
  readonly promptMs?: number;
  /** Tokens of the prompt that were computed, without cached ones. */
  readonly promptTokens?: number;
  readonly cachedTokens?: number;
  readonly predictedMs?: number;
  readonly predictedTokens?: number;
  readonly loadMs?: number;
  readonly totalMs?: number;
  /** llama.cpp's own `timings` object, for clients that read it. */
  readonly own?: JsonObject;
}

/** An error that an engine reported, in whatever shape. */
export interface EngineError {
  readonly message: string;
  /** HTTP status, or the code that a stream's error carries; absent = it did not say. */
  readonly status?: number;
  readonly type?: string;
  readonly code?: string | number;
  readonly param?: string;
  /** Where the prompt is longer than the context. */
  readonly overflow?: { readonly contextTokens?: number; readonly promptTokens?: number };
}

/** `choice`: index of the answer it belongs to, 0 unless several were asked for. */
export type AnswerEvent =
  /** First of all, exactly once. */
  | {
      readonly kind: 'started';
      readonly id?: string;
      readonly model?: string;
      /** Unix time in seconds. */
      readonly createdS?: number;
      /** Usage known before the first token (Messages). */
      readonly usage?: Usage;
      readonly fingerprint?: string;
    }
  /** llama.cpp's progress through the prompt. */
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | {
      readonly kind: 'text';
      readonly choice: number;
      readonly text: string;
      readonly logprobs?: readonly TokenLogprob[];
    }
  | { readonly kind: 'reasoning'; readonly choice: number; readonly text: string }
  /** Ends the thoughts that came last. */
  | {
      readonly kind: 'reasoningProof';
      readonly choice: number;
      readonly signature?: string;
      readonly encrypted?: string;
    }
  | { readonly kind: 'refusal'; readonly choice: number; readonly text: string }
  /**
   * Begins a tool call. `call`: index among the calls of the choice, without gaps, ascending. Id and name are never
   * empty. Two calls may be open at once.
   */
  | {
      readonly kind: 'toolCall';
      readonly choice: number;
      readonly call: number;
      readonly id: string;
      readonly name: string;
      readonly custom?: boolean;
    }
  | {
      readonly kind: 'toolArguments';
      readonly choice: number;
      readonly call: number;
      /** The next piece of its JSON text. */
      readonly text: string;
    }
  | { readonly kind: 'finished'; readonly choice: number; readonly reason: FinishReason }
  /** The last one holds. */
  | { readonly kind: 'usage'; readonly usage: Usage }
  | { readonly kind: 'timings'; readonly timings: Timings }
  /** What no other event stands for, in the API it came by; writers of that API pass it on, others leave it out. */
  | { readonly kind: 'opaque'; readonly dialect: string; readonly type: string; readonly value: unknown }
  /** Last of all when the answer came to its proper end. */
  | { readonly kind: 'ended' }
  /** Last of all when it did not. */
  | { readonly kind: 'failed'; readonly error: EngineError };

export type OnAnswerEvent = (event: AnswerEvent) => void;
