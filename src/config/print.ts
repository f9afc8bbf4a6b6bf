/** The configuration as it would be written in a file, for people and for `/api/status`. Secrets are always masked. */
import { isBigNumber } from '../base/exact-json.ts';
import { escapePlaceholders } from './placeholders.ts';
import { childSchema, rootNode, takesSecret } from './schema-node.ts';
import type { SchemaNode } from './schema-node.ts';
import type { Config } from './schema.ts';
import { formatDuration, formatSize } from './values.ts';

const mask = '***';

/** Every key with its value, defaults included; durations and sizes as text, secrets as `***`. */
export function printConfig(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key, printed(value, childSchema(rootNode, key))]),
  );
}

function printed(value: unknown, schema: SchemaNode | undefined): unknown {
  if (Array.isArray(value))
    return value.map((item, index) => printed(item, schema && childSchema(schema, index)));
  if (isBigNumber(value)) return printedNumber(value.rawJSON);
  if (typeof value === 'object' && value !== null) {
    const known = Object.entries(value).filter(([, child]) => child !== undefined);
    return Object.fromEntries(
      known.map(([key, child]) => [key, printed(child, schema && childSchema(schema, key))]),
    );
  }
  if (typeof value === 'string' && schema !== undefined && takesSecret(schema)) {
    return value === '' ? '' : mask;
  }
  if (typeof value === 'string') return escapePlaceholders(value);
  if (typeof value === 'number' && schema?.unit === 'duration') return formatDuration(value);
  if (typeof value === 'number' && schema?.unit === 'size') return formatSize(value);
  return value;
}

/** What no double holds is shown as text. */
function printedNumber(digits: string): bigint | number | string {
  if (/^-?\d+$/.test(digits)) return BigInt(digits);
  const value = Number(digits);
  return Number.isFinite(value) ? value : digits;
}
