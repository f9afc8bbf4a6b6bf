/**
 * What an engine says that it has counted, as far as it can be true. Sums live for years in tables of whole numbers: one
 * number that is none, or of a size that no answer has, would spoil them. Reads no answers itself.
 */
import type { EngineTimings, TokenUsage } from '../store/request-record.ts';

/** A thousand times what any context holds. */
const tokensMax = 1_000_000_000;
const msMax = 1_000_000_000;

/** undefined = it is not to be believed: as if the engine had told nothing. */
export function tryBelieveUsage(usage: TokenUsage | undefined): TokenUsage | undefined {
  if (usage === undefined) return undefined;
  const { inputTokens, outputTokens, cachedTokens, reasoningTokens = 0 } = usage;
  return [inputTokens, outputTokens, cachedTokens, reasoningTokens].every(isCount) ? usage : undefined;
}

/** undefined = they are not to be believed. */
export function tryBelieveTimings(timings: EngineTimings | undefined): EngineTimings | undefined {
  if (timings === undefined) return undefined;
  const { promptTokens, cachedTokens, predictedTokens, draftTokens = 0, draftTokensAccepted = 0 } = timings;
  const { promptMs, predictedMs, promptRate = 0, predictedRate = 0 } = timings;
  const counts = [promptTokens, cachedTokens, predictedTokens, draftTokens, draftTokensAccepted];
  const others = [promptMs, predictedMs, promptRate, predictedRate];
  return counts.every(isCount) && others.every((value) => value <= msMax) ? timings : undefined;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value <= tokensMax;
}
