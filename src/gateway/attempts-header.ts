/** The value of `x-llamero-attempts`: which backends were tried, in order, and what was wrong with each. */
import type { AttemptRecord } from '../store/request-record.ts';
import { headerText } from './header-text.ts';

const failureCharsMax = 100;

export function attemptsHeader(attempts: readonly AttemptRecord[]): string {
  return attempts
    .map(({ backend, failure }) => {
      const name = headerText(backend);
      return failure === undefined ? name : `${name} (${headerText(failure.slice(0, failureCharsMax))})`;
    })
    .join(', ');
}
