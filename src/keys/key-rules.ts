/** What one API key may do, as the router works with it. Made from what is written; decides nothing about requests. */
import { matchesPattern } from '../base/name-pattern.ts';
import type { ApiKeyConfig } from '../config/schema.ts';
import { unnamedKeyName, type KeyConfig } from '../config/schema-keys.ts';
import type { AdminAccess } from '../domain/admin-access.ts';
import { routesOf } from '../domain/route-groups.ts';
import type { RouteName } from '../domain/routes.ts';

/** Infinity = no limit. */
export interface KeyLimits {
  readonly requestsPerMinute: number;
  readonly tokensPerMinute: number;
  readonly concurrency: number;
  readonly tokensPerDay: number;
  readonly tokensPerMonth: number;
}

export interface KeyRules {
  readonly name: string;
  /** Where the key is written. */
  readonly source: 'config' | 'file';
  /** Patterns; undefined = all. */
  readonly models: readonly string[] | undefined;
  /** undefined = all. */
  readonly routes: ReadonlySet<RouteName> | undefined;
  readonly admin: AdminAccess;
  /** Priority class; undefined = that of everybody. */
  readonly priority: number | undefined;
  readonly limits: KeyLimits;
  /** Infinity = never. */
  readonly expiresEpochMs: number;
}

export function toKeyRules(name: string, source: KeyRules['source'], written: KeyConfig): KeyRules {
  const { models, routes, admin, priority, expires } = written;
  const isRestricted = Object.values({ ...written, priority: undefined }).some(
    (value) => value !== undefined,
  );
  return {
    name,
    source,
    models,
    routes: routes && routesOf(routes),
    admin: admin ?? (isRestricted ? 'none' : 'full'),
    priority,
    limits: {
      requestsPerMinute: written.requestsPerMinute ?? Infinity,
      tokensPerMinute: written.tokensPerMinute ?? Infinity,
      concurrency: written.concurrency ?? Infinity,
      tokensPerDay: written.tokensPerDay ?? Infinity,
      tokensPerMonth: written.tokensPerMonth ?? Infinity,
    },
    expiresEpochMs: expires === undefined ? Infinity : Date.parse(expires),
  };
}

/** The key and the rules of an entry of `apiKeys`. Unnamed keys are called `key-1`, `key-2` … by their place. */
export function readConfigKey(
  entry: ApiKeyConfig,
  index: number,
): { readonly key: string; readonly rules: KeyRules } {
  if (typeof entry === 'string')
    return { key: entry, rules: toKeyRules(unnamedKeyName(index), 'config', {}) };
  const { name, key, ...written } = entry;
  return { key, rules: toKeyRules(name, 'config', written) };
}

/** Whether one of the key's patterns names the model; true without patterns. */
export function namesModel({ models }: KeyRules, name: string): boolean {
  return models === undefined || models.some((pattern) => matchesPattern(pattern, name));
}
