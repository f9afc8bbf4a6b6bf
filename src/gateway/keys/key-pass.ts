/** Lets a request pass the limits of its key, or says why not; charges the key what it took. Once for each request. */
import { LlameroError } from '../../domain/errors.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { KeyMeter, LimitReached } from '../../keys/key-meter.ts';
import type { KeyRules } from '../../keys/key-rules.ts';
import type { RequestRecord } from '../../store/request-record.ts';
import type { CostEstimate } from './cost-estimate.ts';

export interface KeyPass {
  /** At the end of the request, however; further calls do nothing. */
  settle(record: Pick<RequestRecord, 'usage' | 'grantedAtMs' | 'status'>, outcome: Outcome): void;
}

/** Waiting helps, and nobody knows how long: something that runs has to end first. */
const soonS = 1;

export function enterWithKey(meter: KeyMeter, key: KeyRules, cost: CostEstimate): KeyPass | LlameroError {
  const entered = meter.enter(key, cost.input + cost.output);
  if (!('settle' in entered)) return limitError(key, entered);
  return { settle: (record, outcome) => entered.settle(tokensTaken(record, outcome, cost)) };
}

/** What the engine says, else, once it had the request, the prompt as it was guessed. */
function tokensTaken(
  { usage, grantedAtMs, status }: Parameters<KeyPass['settle']>[0],
  outcome: Outcome,
  { input }: CostEstimate,
): number {
  if (usage !== undefined) return usage.inputTokens + usage.outputTokens;
  const wasRefused = (status ?? 200) >= 400 || outcome === 'failed_before_first_byte';
  return grantedAtMs === undefined || wasRefused ? 0 : input;
}

function limitError({ name }: KeyRules, { limit, allowed, retryAfterMs }: LimitReached): LlameroError {
  const later = {
    retryAfterS: retryAfterMs === undefined ? soonS : Math.max(1, Math.ceil(retryAfterMs / 1000)),
  };
  switch (limit) {
    case 'concurrency':
      return new LlameroError(
        'key_concurrency_limit',
        `The API key '${name}' may have ${counted(allowed, 'request')} at the same time`,
        later,
      );
    case 'requestsPerMinute':
      return new LlameroError(
        'rate_limit_exceeded',
        `The API key '${name}' may send ${counted(allowed, 'request')} per minute`,
        later,
      );
    case 'tokensPerMinute':
      return new LlameroError(
        'rate_limit_exceeded',
        `The API key '${name}' may take ${counted(allowed, 'token')} per minute`,
        later,
      );
    case 'tokensPerDay':
    case 'tokensPerMonth': {
      const period = limit === 'tokensPerDay' ? 'day' : 'month';
      const what = retryAfterMs === undefined ? 'running requests have reserved the rest' : 'all are used';
      return new LlameroError(
        'token_budget_exceeded',
        `The API key '${name}' may take ${counted(allowed, 'token')} per ${period} (UTC), and ${what}`,
        later,
      );
    }
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
