/** Tells callers how far the limits of their key are used, in the headers of their API. */
import type { KeyReading, KeyMeter, LimitReading } from '../../keys/key-meter.ts';
import type { KeyRules } from '../../keys/key-rules.ts';
import type { ClientResponse } from '../client.ts';
import type { ErrorDialect } from '../routes.ts';

/** True for a key whose answers say what is left. */
export function hasToldLimits({ limits }: KeyRules): boolean {
  const { requestsPerMinute, tokensPerMinute, tokensPerDay, tokensPerMonth } = limits;
  return Math.min(requestsPerMinute, tokensPerMinute, tokensPerDay, tokensPerMonth) < Infinity;
}

/** Adds the headers to an answer that has not begun, in place of those that it has. */
export function tellLimits(
  response: Pick<ClientResponse, 'setHeader'>,
  meter: KeyMeter,
  { key, dialect, nowEpochMs }: { key: KeyRules | undefined; dialect: ErrorDialect; nowEpochMs: number },
): void {
  if (key === undefined || !hasToldLimits(key)) return;
  for (const [name, value] of limitHeaders(meter.read(key), dialect, nowEpochMs))
    response.setHeader(name, value);
}

export function limitHeaders(
  reading: KeyReading,
  dialect: ErrorDialect,
  nowEpochMs: number,
): (readonly [name: string, value: string])[] {
  const headers: (readonly [string, string])[] = [];
  const add = (kind: 'requests' | 'tokens', limit: LimitReading | undefined): void => {
    if (limit === undefined) return;
    const { allowed, left, resetMs } = limit;
    if (dialect === 'anthropic') {
      headers.push(
        [`anthropic-ratelimit-${kind}-limit`, String(allowed)],
        [`anthropic-ratelimit-${kind}-remaining`, String(Math.floor(left))],
        [`anthropic-ratelimit-${kind}-reset`, new Date(nowEpochMs + resetMs).toISOString()],
      );
      return;
    }
    headers.push(
      [`x-ratelimit-limit-${kind}`, String(allowed)],
      [`x-ratelimit-remaining-${kind}`, String(Math.floor(left))],
      [`x-ratelimit-reset-${kind}`, formatReset(resetMs)],
    );
  };
  add('requests', reading.requestsPerMinute);
  add('tokens', tightest(reading));
  return headers;
}

/** Of all limits on tokens the one that leaves least. */
function tightest({ tokensPerMinute, day, month }: KeyReading): LimitReading | undefined {
  const budgets = [day, month]
    .filter(({ allowed }) => allowed !== Infinity)
    .map(({ allowed, used, reserved, resetMs }) => ({
      allowed,
      left: Math.max(0, allowed - used - reserved),
      resetMs,
    }));
  const limits = tokensPerMinute === undefined ? budgets : [tokensPerMinute, ...budgets];
  return limits.toSorted((one, other) => one.left - other.left)[0];
}

/** As OpenAI writes it: `250ms`, `6s`, `1m30s`, `26h0m0s`. */
function formatReset(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours}h${minutes}m${seconds % 60}s`;
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}
