/** What became of a prompt at its engine, for those who guess what is cached. Reads the request's record, changes nothing. */
import type { Outcome } from '../domain/outcome.ts';
import type { PromptReport } from '../domain/prompt-chain.ts';
import type { RequestRecord } from '../store/request-record.ts';

/** undefined = no engine has read the prompt to its end, or nobody knows. */
export function promptReport(
  { headAtMs, usage, timings }: Pick<RequestRecord, 'headAtMs' | 'usage' | 'timings'>,
  outcome: Outcome,
): PromptReport | undefined {
  if (headAtMs === undefined) return undefined;
  const hasAnswered =
    outcome === 'completed' || (outcome === 'cancelled_streaming' && (usage?.outputTokens ?? 0) > 0);
  if (!hasAnswered) return undefined;
  if (usage === undefined || usage.estimated) return { tokens: 0, cachedTokens: undefined };
  const { inputTokens: tokens, cachedTokens, cacheUnknown } = usage;
  if (cacheUnknown !== true) return { tokens, cachedTokens };
  // Timings of engines that say nothing of a cache say 0.
  const cachedByTimings = timings?.cachedTokens ?? 0;
  return { tokens, cachedTokens: cachedByTimings > 0 ? cachedByTimings : undefined };
}
