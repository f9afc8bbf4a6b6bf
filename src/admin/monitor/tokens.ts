/** What the monitor says of tokens: today, and the last hour. Without callers, as the feed is open to everybody. */
import type { MonitorBody } from '../contract.ts';
import type { AdminDeps } from '../deps.ts';
import { describeCounts, sumOf } from '../describe-usage.ts';

const [minuteMs, dayMs] = [60_000, 86_400_000];
const minutesShown = 60;
const modelsMax = 8;
/** Far more models than anybody has, so that the sum over them is whole. */
const sumsMax = 10_000;
/** Time for which one look into the accounts is good enough. */
const freshMs = 5000;

/** Returns what reads the accounts, every few seconds however often it is called. */
export function createTokenReader(deps: Pick<AdminDeps, 'clock' | 'usage'>): () => MonitorBody['tokens'] {
  let body: MonitorBody['tokens'] | undefined;
  let readMs = -Infinity;
  return () => {
    const nowMs = deps.clock.nowMs();
    if (body === undefined || nowMs - readMs >= freshMs) {
      body = tokensBody(deps);
      readMs = nowMs;
    }
    return body;
  };
}

function tokensBody({ clock, usage }: Pick<AdminDeps, 'clock' | 'usage'>): MonitorBody['tokens'] {
  const nowEpochMs = clock.epochMs();
  const toEpochMs = nowEpochMs + 1;
  const sums = usage.sums({
    fromEpochMs: nowEpochMs - (nowEpochMs % dayMs),
    toEpochMs,
    by: 'model',
    limit: sumsMax,
  });
  const lastMs = nowEpochMs - (nowEpochMs % minuteMs);
  const firstMs = lastMs - (minutesShown - 1) * minuteMs;
  const perMinute = Array.from({ length: minutesShown }, () => 0);
  const range = { fromEpochMs: firstMs, toEpochMs, by: 'dialect', stepSeconds: 60, limit: sumsMax } as const;
  for (const { startEpochMs, counts } of usage.series(range)) {
    const index = (startEpochMs - firstMs) / minuteMs;
    perMinute[index] = (perMinute[index] ?? 0) + counts.inputTokens + counts.outputTokens;
  }
  return {
    today: describeCounts(sumOf(sums)),
    models: sums
      .filter(({ name, counts }) => name !== '' && counts.inputTokens + counts.outputTokens > 0)
      .slice(0, modelsMax)
      .map(({ name, counts }) => ({ name, ...describeCounts(counts) })),
    hour: {
      at_epoch_s: perMinute.map((_, index) => (firstMs + index * minuteMs) / 1000),
      tokens: perMinute,
    },
  };
}
