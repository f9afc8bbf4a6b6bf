/** What a simulated engine can be told. Speeds and sizes are those of one model on one imaginary machine. */
import type { Timers } from '../timers.ts';

export interface SimModel {
  /** First name; also what answers carry in `model`. */
  readonly id: string;
  readonly aliases?: readonly string[];
  /** Tokens that one slot can hold. */
  readonly contextTokens: number;
  /** Prompt tokens per second of one request alone. */
  readonly promptTokensPerS: number;
  /** Generated tokens per second of one request alone. */
  readonly tokensPerS: number;
  /** How long loading takes; default 0. */
  readonly loadMs?: number;
  /** Thinks before it answers (`reasoning_content`); default false. */
  readonly thinks?: boolean;
}

export interface SimEngineOptions {
  /** Shown by `state()`; never on the wire. */
  readonly name: string;
  /** Exactly one, unless `router` is set. */
  readonly models: readonly [SimModel, ...SimModel[]];
  /** Slots of each model, ≥ 1. */
  readonly slots: number;
  /** Router mode: models are loaded on demand, at most so many at once. */
  readonly router?: { readonly modelsMax: number };
  /** Serves embeddings (and then no chat); default false. */
  readonly embeddings?: boolean;
  /** Serves reranking (and then no chat); default false. */
  readonly rerank?: boolean;
  /** Demanded from clients; default none. */
  readonly apiKey?: string;
  /** Same seed and same requests: same texts. */
  readonly seed: number;
  /** How much requests slow each other: with k busy slots each runs at k^-x of its speed. Default 0.5, 0 = not at all. */
  readonly sharing?: number;
  /** `mixed` writes emoji and Chinese words among the English ones; default `english`. */
  readonly text?: 'english' | 'mixed';
  /** Idle connections are closed after this; default 5000, as llama-server does. */
  readonly keepAliveMs?: number;
  /** Requests over one connection; default 100, as llama-server does. */
  readonly socketRequestsMax?: number;
  /** Default: the machine's own. */
  readonly timers?: Timers;
}

/** Body of a request beyond which llama-server answers 413. */
export const bodyBytesMax = 100 * 1024 * 1024;
/** Prompt tokens per batch: one progress report each (`-b` of llama-server). */
export const batchTokens = 2048;
/** Prompts kept beside the slots (`--cache-ram` of llama-server), by count and by characters in all. */
export const ramCacheEntriesMax = 8;
export const ramCacheCharactersMax = 4_000_000;
export const fingerprint = 'llamero-sim';
