/** The value of `x-llamero-attempts`: which backends were tried, in order, and what was wrong with each. */
import type { AttemptRecord } from '../store/request-record.ts';

export function attemptsHeader(attempts: readonly AttemptRecord[]): string {
  return attempts
    .map(({ backend, failure }) => (failure === undefined ? backend : `${backend} (${headerSafe(failure)})`))
    .join(', ');
}

function headerSafe(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 100);
}
