/**
 * Finds `usage` and `timings` objects in a part of an engine's answer, cut anywhere, and turns them into numbers. In text
 * that a model wrote the quotes around these names are escaped, so a name with bare quotes is always a key.
 */
import { scanValueAt } from '../base/json-scan.ts';
import type { EngineTimings, TokenUsage } from '../store/request-record.ts';

/** Bytes, because a text would be turned into them at every search. */
const usageKey = Buffer.from('"usage"');
const timingsKey = Buffer.from('"timings"');
const metricsKey = Buffer.from('"metrics"');

type Fields = Readonly<Record<string, unknown>>;

/** More occurrences of a key than any engine repeats at the end of its answer. */
const triesMax = 256;

/**
 * The usage nearest to the end of `bytes`, or from its beginning with `from: 'start'`. Anthropic's `input_tokens` leaves
 * the cached ones out; here they are always in. Numbers that an event does not have are 0.
 */
export function findUsage(bytes: Buffer, from: 'start' | 'end' = 'end'): TokenUsage | undefined {
  return findObject(bytes, { key: usageKey, from, read: toUsage });
}

/** llama.cpp's `timings` nearest to the end of `bytes`. */
export function findTimings(bytes: Buffer): EngineTimings | undefined {
  return findObject(bytes, { key: timingsKey, from: 'end', read: toTimings });
}

/** vLLM's `metrics` nearest to the end of `bytes`. */
export function findMetrics(bytes: Buffer, usage: TokenUsage): EngineTimings | undefined {
  return findObject(bytes, { key: metricsKey, from: 'end', read: (fields) => toMetrics(fields, usage) });
}

/** What llama.cpp's timings say of the tokens, for answers that carry no usage. */
export function usageOfTimings(timings: EngineTimings): TokenUsage {
  return {
    inputTokens: timings.promptTokens + timings.cachedTokens,
    outputTokens: timings.predictedTokens,
    cachedTokens: timings.cachedTokens,
    estimated: false,
  };
}

interface Search<Value> {
  readonly key: Buffer;
  readonly from: 'start' | 'end';
  /** undefined = the object is something else; the search goes on. */
  readonly read: (fields: Fields) => Value | undefined;
}

function findObject<Value>(bytes: Buffer, { key, from, read }: Search<Value>): Value | undefined {
  let at = from === 'end' ? bytes.lastIndexOf(key) : bytes.indexOf(key);
  for (let tries = 0; at !== -1 && tries < triesMax; tries += 1) {
    const fields = readMember(bytes, at, key.length);
    const value = fields === undefined ? undefined : read(fields);
    if (value !== undefined) return value;
    // A negative start would count from the end.
    if (from === 'end') at = at === 0 ? -1 : bytes.lastIndexOf(key, at - 1);
    else at = bytes.indexOf(key, at + 1);
  }
  return undefined;
}

/** The object after the key at `at`; undefined = the key is text, or its value no complete object. */
function readMember(bytes: Buffer, at: number, keyLength: number): Fields | undefined {
  if (at > 0 && bytes[at - 1] === 0x5c) return undefined;
  const colon = skipBlanks(bytes, at + keyLength);
  if (bytes[colon] !== 0x3a) return undefined;
  const value = scanValueAt(bytes, skipBlanks(bytes, colon + 1), bytes.length);
  if (value?.kind !== 'object') return undefined;
  try {
    return JSON.parse(bytes.toString('utf8', value.start, value.end)) as Fields;
  } catch {
    return undefined;
  }
}

function skipBlanks(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1;
  return at;
}

function toUsage(fields: Fields): TokenUsage | undefined {
  const promptTokens = toCount(fields['prompt_tokens']);
  const inputTokens = promptTokens ?? toCount(fields['input_tokens']);
  const outputTokens = toCount(fields['completion_tokens']) ?? toCount(fields['output_tokens']);
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  const cacheRead = toCount(fields['cache_read_input_tokens']);
  const cacheCreation = toCount(fields['cache_creation_input_tokens']);
  const details = fields['prompt_tokens_details'] ?? fields['input_tokens_details'];
  const cachedTokens = cacheRead ?? toCount((details as Fields | null | undefined)?.['cached_tokens']);
  const reasoningTokens = toReasoningTokens(fields);
  const usage: TokenUsage = {
    inputTokens:
      (inputTokens ?? 0) + (promptTokens === undefined ? (cacheRead ?? 0) + (cacheCreation ?? 0) : 0),
    outputTokens: outputTokens ?? 0,
    cachedTokens: cachedTokens ?? 0,
    estimated: false,
  };
  if (reasoningTokens !== undefined) usage.reasoningTokens = reasoningTokens;
  if (cachedTokens === undefined) usage.cacheUnknown = true;
  return usage;
}

/** Chat completions and the Responses API say `reasoning_tokens`, Messages `thinking_tokens`. */
function toReasoningTokens(fields: Fields): number | undefined {
  const details = (fields['completion_tokens_details'] ?? fields['output_tokens_details']) as
    | Fields
    | null
    | undefined;
  return toCount(details?.['reasoning_tokens']) ?? toCount(details?.['thinking_tokens']);
}

function toTimings(fields: Fields): EngineTimings | undefined {
  const promptTokens = toCount(fields['prompt_n']);
  const predictedTokens = toCount(fields['predicted_n']);
  if (promptTokens === undefined || predictedTokens === undefined) return undefined;
  return {
    promptTokens,
    promptMs: toCount(fields['prompt_ms']) ?? 0,
    cachedTokens: toCount(fields['cache_n']) ?? 0,
    predictedTokens,
    predictedMs: toCount(fields['predicted_ms']) ?? 0,
    ...rate('promptRate', fields['prompt_per_second']),
    ...rate('predictedRate', fields['predicted_per_second']),
    ...drafts(fields['draft_n'], fields['draft_n_accepted']),
  };
}

/** vLLM tells times where llama.cpp tells rates as well; the tokens are those of the usage. */
function toMetrics(fields: Fields, usage: TokenUsage): EngineTimings | undefined {
  const promptMs = toCount(fields['time_to_first_token_ms']);
  const tokenMs = toCount(fields['mean_itl_ms']);
  const speculative = fields['speculative_decoding'] as Fields | null | undefined;
  if (promptMs === undefined && tokenMs === undefined) return undefined;
  const { inputTokens, outputTokens, cachedTokens } = usage;
  const promptTokens = Math.max(0, inputTokens - cachedTokens);
  return {
    promptTokens,
    promptMs: promptMs ?? 0,
    cachedTokens,
    predictedTokens: outputTokens,
    predictedMs: (tokenMs ?? 0) * outputTokens,
    ...(promptMs !== undefined && promptMs > 0 && { promptRate: (promptTokens * 1000) / promptMs }),
    ...(tokenMs !== undefined && tokenMs > 0 && { predictedRate: 1000 / tokenMs }),
    ...drafts(speculative?.['num_draft_tokens'], speculative?.['num_accepted_draft_tokens']),
  };
}

function rate<Key extends string>(key: Key, value: unknown): { readonly [Name in Key]?: number } {
  const perSecond = toCount(value);
  return (perSecond === undefined ? {} : { [key]: perSecond }) as { readonly [Name in Key]?: number };
}

function drafts(
  drafted: unknown,
  accepted: unknown,
): Pick<EngineTimings, 'draftTokens' | 'draftTokensAccepted'> {
  const draftTokens = toCount(drafted);
  const draftTokensAccepted = toCount(accepted);
  if (draftTokens === undefined || draftTokensAccepted === undefined) return {};
  return { draftTokens, draftTokensAccepted };
}

function toCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}
