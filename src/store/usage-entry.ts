/** What one finished request adds to the accounts: whose it is, and what it used. Knows no database. */
import type { BackendId, FlowId, ModelName } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import { apiOf } from '../domain/route-groups.ts';
import type { RouteName } from '../domain/routes.ts';
import type { RequestRecord } from './request-record.ts';

/** The API that the client spoke. */
export const dialects = ['openai', 'openai-responses', 'anthropic', 'ollama', 'llamacpp'] as const;
export type UsageDialect = (typeof dialects)[number];

/** Empty = none: a request that was refused has no backend, and one for an unknown model no model. */
export interface UsageKey {
  readonly flow: FlowId;
  readonly backend: BackendId;
  readonly model: ModelName;
  readonly dialect: UsageDialect;
}

export interface UsageCounts {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Part of `inputTokens`. */
  readonly cachedTokens: number;
  /** Part of `outputTokens`. */
  readonly reasoningTokens: number;
  readonly requests: number;
  /** Requests that ended with an error; a client that leaves is none. */
  readonly errors: number;
  /** Requests whose tokens, or some of them, are guessed, as the engine told none. */
  readonly estimated: number;
}

export const noUsage: UsageCounts = {
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  reasoningTokens: 0,
  requests: 0,
  errors: 0,
  estimated: 0,
};

/** No model works on them, so that they cost nothing that is accounted for. */
const routesWithoutWork: ReadonlySet<RouteName> = new Set([
  'count-tokens',
  'count-response-tokens',
  'tokenize',
  'detokenize',
  'apply-template',
  'props',
  'slots',
]);

const noErrors: ReadonlySet<Outcome> = new Set([
  'completed',
  'cancelled_queued',
  'cancelled_waiting',
  'cancelled_streaming',
]);

/** Their bodies are text and little else, so that their size says something. */
const plainTextRoutes: ReadonlySet<RouteName> = new Set([
  'completions',
  'embeddings',
  'rerank',
  'ollama-embed',
  'ollama-embeddings',
]);
const bytesPerToken = 4;

export interface UsageEntry {
  readonly key: UsageKey;
  readonly counts: UsageCounts;
}

/**
 * undefined = the request is not accounted for: no model works on such a route, the caller was not let in, or the requests
 * of an ensemble did the work.
 */
export function tryToUsageEntry(record: RequestRecord): UsageEntry | undefined {
  if (record.ensemble !== undefined) return undefined;
  const dialect = tryDialectOf(record.route);
  const outcome = record.outcome ?? 'internal';
  if (dialect === undefined || record.method !== 'POST' || outcome === 'rejected_unauthorized')
    return undefined;
  const { flow, backend = '' } = record;
  // Whoever invents names must not fill the tables with them.
  const model = record.errorCode === 'model_not_found' ? '' : (record.model ?? '');
  return {
    key: { flow, backend, model, dialect },
    counts: { ...tokensOf(record), requests: 1, errors: noErrors.has(outcome) ? 0 : 1 },
  };
}

export function addUsage(left: UsageCounts, right: UsageCounts): UsageCounts {
  return {
    inputTokens: left.inputTokens + right.inputTokens,
    outputTokens: left.outputTokens + right.outputTokens,
    cachedTokens: left.cachedTokens + right.cachedTokens,
    reasoningTokens: left.reasoningTokens + right.reasoningTokens,
    requests: left.requests + right.requests,
    errors: left.errors + right.errors,
    estimated: left.estimated + right.estimated,
  };
}

export function subtractUsage(left: UsageCounts, right: UsageCounts): UsageCounts {
  return {
    inputTokens: left.inputTokens - right.inputTokens,
    outputTokens: left.outputTokens - right.outputTokens,
    cachedTokens: left.cachedTokens - right.cachedTokens,
    reasoningTokens: left.reasoningTokens - right.reasoningTokens,
    requests: left.requests - right.requests,
    errors: left.errors - right.errors,
    estimated: left.estimated - right.estimated,
  };
}

type Tokens = Omit<UsageCounts, 'requests' | 'errors'>;

function tokensOf(record: RequestRecord): Tokens {
  const { usage, route } = record;
  if (usage !== undefined) {
    return {
      inputTokens: Math.round(usage.estimated ? guessInput(record) : usage.inputTokens),
      outputTokens: Math.round(usage.outputTokens),
      cachedTokens: Math.round(usage.cachedTokens),
      reasoningTokens: Math.round(usage.reasoningTokens ?? 0),
      estimated: usage.estimated ? 1 : 0,
    };
  }
  // Without a byte of a good answer nobody knows how far the engine came; sounds and pictures have no tokens.
  const { backend, firstByteAtMs, status = 0 } = record;
  const isAnswered = backend !== undefined && firstByteAtMs !== undefined && status < 400;
  if (!isAnswered || route === 'audio' || route === 'images') {
    return { inputTokens: 0, outputTokens: 0, cachedTokens: 0, reasoningTokens: 0, estimated: 0 };
  }
  return {
    inputTokens: guessInput(record),
    // Engines send about one token per streamed chunk.
    outputTokens: record.stream ? record.chunksOut : 0,
    cachedTokens: 0,
    reasoningTokens: 0,
    estimated: 1,
  };
}

function guessInput({ route, tokensEstimated, bytesIn }: RequestRecord): number {
  return plainTextRoutes.has(route) ? Math.ceil(bytesIn / bytesPerToken) : tokensEstimated;
}

function tryDialectOf(route: RouteName): UsageDialect | undefined {
  if (route === 'responses') return 'openai-responses';
  const api = apiOf(route);
  return api === 'other' || routesWithoutWork.has(route) ? undefined : api;
}
