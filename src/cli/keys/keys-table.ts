/** The keys of a file as a table for people. Shows no digest. */
import { toKeyRules, type KeyLimits } from '../../keys/key-rules.ts';
import type { StoredKey } from '../../keys/stored-keys.ts';
import { plainTable } from '../plain-table.ts';

const columns = ['NAME', 'CREATED', 'EXPIRES', 'ADMIN', 'MODELS', 'ROUTES', 'LIMITS'] as const;

export function keysTable(keys: readonly StoredKey[]): string {
  return plainTable(columns, keys.map(rowOf));
}

function rowOf({ name, rules: written, createdEpochMs }: StoredKey): string[] {
  const { admin, limits } = toKeyRules(name, 'file', written);
  return [
    name,
    new Date(createdEpochMs).toISOString().slice(0, 10),
    written.expires ?? 'never',
    admin,
    written.models?.join(',') ?? 'all',
    written.routes?.join(',') ?? 'all',
    limitsText(limits, written.priority),
  ];
}

function limitsText(limits: KeyLimits, priority: number | undefined): string {
  const { requestsPerMinute, tokensPerMinute, concurrency, tokensPerDay, tokensPerMonth } = limits;
  const parts = [
    [requestsPerMinute, 'requests/min'],
    [tokensPerMinute, 'tokens/min'],
    [concurrency, 'at once'],
    [tokensPerDay, 'tokens/day'],
    [tokensPerMonth, 'tokens/month'],
  ] as const;
  const set = parts.filter(([count]) => count !== Infinity).map(([count, unit]) => `${count} ${unit}`);
  if (priority !== undefined) set.push(`priority ${priority}`);
  return set.length === 0 ? 'none' : set.join(', ');
}
