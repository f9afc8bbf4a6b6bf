/** How a set of positive numbers is spread, for a chart: equal bins and percentiles. Pure. */

export interface Histogram {
  readonly bins: readonly number[];
  readonly min: number;
  readonly max: number;
  readonly binSize: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

const binsMin = 5;
const binsMax = 20;

/** Numbers that are not positive are left out; null when none is left. */
export function toHistogram(values: readonly number[]): Histogram | null {
  const sorted = values.filter((value) => value > 0).sort((one, other) => one - other);
  const min = sorted[0];
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return null;
  // Sturges' rule.
  const count = Math.min(binsMax, Math.max(binsMin, Math.ceil(Math.log2(sorted.length)) + 1));
  const binSize = (max - min) / count;
  const bins = Array.from({ length: count }, () => 0);
  for (const value of sorted) {
    const index = binSize === 0 ? 0 : Math.min(count - 1, Math.floor((value - min) / binSize));
    bins[index] = (bins[index] ?? 0) + 1;
  }
  const at = (share: number): number => percentile(sorted, share);
  return { bins, min, max, binSize, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** Between two neighbours by their distance. `sorted` is not empty. */
function percentile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? 0;
  const above = sorted[Math.ceil(place)] ?? below;
  return below + (above - below) * (place - Math.floor(place));
}
