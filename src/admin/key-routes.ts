/** `/api/keys`: which API keys there are, what each may do and how much of it is used. Shows no key. */
import type { Hono } from 'hono';
import type { BudgetReading, KeyReading, LimitReading } from '../keys/key-meter.ts';
import type { KeyRules } from '../keys/key-rules.ts';
import type { KeysBody } from './contract-keys.ts';
import { noQuery } from './contract.ts';
import type { AdminDeps } from './deps.ts';
import { addRoute, checkQuery } from './routing.ts';

type Deps = Pick<AdminDeps, 'keys' | 'keysRequired' | 'clock'>;

export function addKeyRoutes(app: Hono, { keys, keysRequired, clock }: Deps): void {
  addRoute(app, '/api/keys', {
    GET: (context) => {
      checkQuery(context, noQuery);
      const described = keys().map(({ rules, reading }) => describeKey(rules, reading, clock.epochMs()));
      return context.json({ required: keysRequired(), keys: described } satisfies KeysBody);
    },
  });
}

function describeKey(rules: KeyRules, reading: KeyReading, nowEpochMs: number): KeysBody['keys'][number] {
  const { name, source, admin, models, routes, priority, limits, expiresEpochMs } = rules;
  return {
    name,
    source,
    admin,
    models: models === undefined ? null : [...models],
    routes: routes === undefined ? null : [...routes],
    priority: priority ?? null,
    expires: expiresEpochMs === Infinity ? null : new Date(expiresEpochMs).toISOString(),
    expired: expiresEpochMs <= nowEpochMs,
    concurrency: orNull(limits.concurrency),
    running: reading.running,
    requests_per_minute: describeRate(reading.requestsPerMinute),
    tokens_per_minute: describeRate(reading.tokensPerMinute),
    tokens_per_day: describeBudget(reading.day),
    tokens_per_month: describeBudget(reading.month),
  };
}

function describeRate(rate: LimitReading | undefined): KeysBody['keys'][number]['requests_per_minute'] {
  if (rate === undefined) return null;
  return { limit: rate.allowed, remaining: Math.floor(rate.left), reset_ms: Math.ceil(rate.resetMs) };
}

function describeBudget(budget: BudgetReading): KeysBody['keys'][number]['tokens_per_day'] {
  const { allowed, used, reserved, resetMs } = budget;
  return { limit: orNull(allowed), used, reserved, reset_ms: resetMs };
}

function orNull(limit: number): number | null {
  return limit === Infinity ? null : limit;
}
