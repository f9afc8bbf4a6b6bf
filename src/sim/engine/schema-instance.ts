/** A small value that fits a JSON schema, for tool arguments and structured answers. Bounded in depth and size. */
import type { Random } from '../../base/random.ts';
import { nouns } from './words.ts';

const depthMax = 8;
const itemsMax = 4;

type Schema = Readonly<Record<string, unknown>>;

export function schemaInstance(schema: unknown, random: Random): unknown {
  return instance(schema, { random, root: schema, depth: 0 });
}

interface Walk {
  readonly random: Random;
  readonly root: unknown;
  readonly depth: number;
}

function instance(schema: unknown, walk: Walk): unknown {
  if (!isSchema(schema) || walk.depth > depthMax) return null;
  const deeper = { ...walk, depth: walk.depth + 1 };
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return pick(schema['enum'], walk.random);
  if (typeof schema['$ref'] === 'string') return instance(resolve(schema['$ref'], walk.root), deeper);
  const choices = schema['anyOf'] ?? schema['oneOf'] ?? schema['allOf'];
  if (Array.isArray(choices)) return instance(choices[0], deeper);
  switch (typeName(schema)) {
    case 'object':
      return objectInstance(schema, deeper);
    case 'array':
      return arrayInstance(schema, deeper);
    case 'integer':
    case 'number':
      return numberInstance(schema, walk.random);
    case 'boolean':
      return walk.random.next() < 0.5;
    case 'string':
      return stringInstance(schema, walk.random);
    default:
      return null;
  }
}

function typeName(schema: Schema): unknown {
  if (Array.isArray(schema['type'])) return schema['type'][0];
  if (schema['type'] !== undefined) return schema['type'];
  return 'properties' in schema ? 'object' : 'string';
}

function objectInstance(schema: Schema, walk: Walk): Record<string, unknown> {
  const properties = isSchema(schema['properties']) ? schema['properties'] : {};
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, instance(value, walk)]));
}

function arrayInstance(schema: Schema, walk: Walk): unknown[] {
  const count = Math.min(itemsMax, Math.max(1, numeric(schema['minItems']) ?? 1));
  return Array.from({ length: count }, () => instance(schema['items'] ?? { type: 'string' }, walk));
}

function numberInstance(schema: Schema, random: Random): number {
  const low = Math.ceil(numeric(schema['minimum']) ?? 0);
  const high = Math.floor(numeric(schema['maximum']) ?? low + 9);
  return low + Math.floor(random.next() * Math.max(1, high - low + 1));
}

function stringInstance(schema: Schema, random: Random): string {
  const word = pick(nouns, random) as string;
  const long = word.padEnd(numeric(schema['minLength']) ?? 0, 'a');
  return long.slice(0, numeric(schema['maxLength']) ?? long.length);
}

/** Follows `#/a/b` inside the schema; anything else fits any value. */
function resolve(reference: string, root: unknown): unknown {
  let found: unknown = root;
  for (const key of reference.replace(/^#\/?/, '').split('/'))
    found = isSchema(found) ? found[key] : undefined;
  return found;
}

function pick(values: readonly unknown[], random: Random): unknown {
  return values[Math.floor(random.next() * values.length)];
}

function numeric(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
