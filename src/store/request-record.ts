/**
 * One request's own story, from its head to its outcome. Written by the data plane only, read by the admin API, the
 * access log and metrics. Times are Clock.nowMs unless the name says epoch.
 */
import type { ErrorCode } from '../domain/errors.ts';
import type { BackendId, FlowId, ModelName, RequestId } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { RepairRecord } from '../domain/repair-record.ts';
import type { RouteName } from '../domain/routes.ts';
import type { CacheUse } from './cache/cache-use.ts';
import type { CaptureDraft } from './capture-draft.ts';

/** reading: its body comes in. queued: no slot yet. connecting: to the engine. waiting: sent, no answer yet. streaming: bytes flow. */
export type RequestPhase = 'reading' | 'queued' | 'connecting' | 'waiting' | 'streaming' | 'finished';

export interface TokenUsage {
  inputTokens: number;
  outputTokens: number;
  /** Part of `inputTokens` that came from the engine's prompt cache. */
  cachedTokens: number;
  /** Part of `outputTokens` that nobody but the model reads; absent = the engine does not tell. */
  reasoningTokens?: number;
  /** True when the engine gave no numbers and these were counted from the stream. */
  estimated: boolean;
  /** The engine says nothing of a cache: `cachedTokens` is 0 for want of a number. */
  cacheUnknown?: true;
}

/** llama.cpp `timings`, milliseconds; or what vLLM's `metrics` tell of the same. Rates are tokens per second. */
export interface EngineTimings {
  readonly promptTokens: number;
  readonly promptMs: number;
  readonly cachedTokens: number;
  readonly predictedTokens: number;
  readonly predictedMs: number;
  readonly promptRate?: number;
  readonly predictedRate?: number;
  /** Tokens guessed by speculative decoding, and those that were right; both or none. */
  readonly draftTokens?: number;
  readonly draftTokensAccepted?: number;
}

export interface AttemptRecord {
  readonly backend: BackendId;
  /** `ECONNREFUSED`, `status 503` …; undefined = it answered. */
  failure: string | undefined;
}

/** The request that a request of the router's own is part of, and what it is for there. */
export interface RequestParent {
  readonly id: RequestId;
  /** A word: `answer`, `embedding` … */
  readonly purpose: string;
}

export interface RequestRecord {
  readonly id: RequestId;
  readonly route: RouteName;
  readonly method: string;
  /** Without the query: that can hold secrets. */
  readonly path: string;
  readonly flow: FlowId;
  /** undefined: a client has sent it. */
  readonly parent: RequestParent | undefined;
  readonly startedMs: number;
  readonly startedEpochMs: number;
  phase: RequestPhase;
  model: ModelName | undefined;
  /** The name that the client asked for. */
  requested: string | undefined;
  /** Id of the selector that chose the model. */
  selector: string | undefined;
  /** Name of the ensemble that answers: what its requests take is accounted for by their records. */
  ensemble: string | undefined;
  /** What the cache of answers did for it; undefined = it was not asked to. */
  cache: CacheUse | undefined;
  session: string | undefined;
  stream: boolean;
  backend: BackendId | undefined;
  readonly attempts: AttemptRecord[];
  queuedAtMs: number | undefined;
  grantedAtMs: number | undefined;
  /** The engine's status line came: on llama.cpp, a slot has it. */
  headAtMs: number | undefined;
  firstByteAtMs: number | undefined;
  finishedAtMs: number | undefined;
  status: number | undefined;
  outcome: Outcome | undefined;
  errorCode: ErrorCode | undefined;
  bytesIn: number;
  bytesOut: number;
  chunksOut: number;
  tokensEstimated: number;
  /** How far the engine is in the prompt, in tokens; undefined = it does not tell, or has not begun. */
  promptProgress: { readonly done: number; readonly total: number } | undefined;
  /** What was changed for the last backend and in its answer, in that order. */
  repairs: readonly RepairRecord[];
  usage: TokenUsage | undefined;
  timings: EngineTimings | undefined;
  /** The client's address: what a proxy in front says, else the socket's. */
  remote: string | undefined;
  /** As received, names and values alternating; they may hold secrets. */
  requestHeaders: readonly string[];
  /** As sent to the client; undefined = none were yet. */
  responseHeaders: readonly string[] | undefined;
  /** Why there is no proper answer, in the words of the router or the engine. */
  errorMessage: string | undefined;
  /** Collects the bodies, where they are kept. */
  capture: CaptureDraft | undefined;
}
