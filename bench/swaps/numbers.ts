/** Sums and their words in the report. */

export function mean(list: readonly number[]): number {
  return sum(list) / list.length;
}

export function sum(list: readonly number[]): number {
  return list.reduce((all, one) => all + one, 0);
}

/** `sorted`: smallest first. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export function ratio(one: number, other: number): string {
  return `${(one / other).toFixed(2)} ×`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

export function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}
