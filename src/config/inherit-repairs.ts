/**
 * The `repairs` of the whole file, filled into each backend, model and peer, whose own keys win. What is not as it should
 * be is left to the schema.
 */
import { repairs as schema } from './schema-repairs.ts';

const sections = ['backends', 'models', 'peers'];

/** The plain configuration with its common repairs where they are made. */
export function withInheritedRepairs(plain: Record<string, unknown>): Record<string, unknown> {
  const { repairs } = plain;
  if (!isMap(repairs)) return plain;
  // What is wrong is told of once, where it stands.
  const common = Object.entries(repairs).filter(
    ([key, wanted]) => Object.hasOwn(schema.shape, key) && typeof wanted === 'boolean',
  );
  if (common.length === 0) return plain;
  const filled = { ...plain };
  for (const section of sections) {
    const entries = plain[section];
    if (!isMap(entries)) continue;
    filled[section] = Object.fromEntries(
      Object.entries(entries).map(([name, entry]) => [name, withRepairs(entry, Object.fromEntries(common))]),
    );
  }
  return filled;
}

function withRepairs(entry: unknown, common: Readonly<Record<string, unknown>>): unknown {
  if (!isMap(entry)) return entry;
  const own = entry['repairs'] ?? {};
  return isMap(own) ? { ...entry, repairs: { ...common, ...own } } : entry;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
