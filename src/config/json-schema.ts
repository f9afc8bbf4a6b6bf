/** The published JSON Schema: what editors complete and check. Built from the schema, never written by hand. */
import { ignoredKeyPrefix, rootNode } from './schema-node.ts';
import type { SchemaNode } from './schema-node.ts';

/** A value that comes from the environment or a macro fits every key. */
const placeholderRef = { $ref: '#/$defs/placeholder' };

/** JSON Schema (draft 2020-12) of the file as it is written, as text with a final line end. */
export function configJsonSchemaText(): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Llamero configuration',
    description: 'Configuration file of Llamero. Every key is optional; docs/config.md explains them.',
    ...published(rootNode, ''),
    patternProperties: { [`^${ignoredKeyPrefix}`]: { description: 'Ignored: a place for YAML anchors.' } },
    $defs: {
      placeholder: {
        description: 'Value of an environment variable or a macro.',
        type: 'string',
        pattern: String.raw`\$\{(env\.[A-Za-z_][A-Za-z0-9_]*|[A-Za-z0-9_-]+)\}`,
      },
    },
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

function published(node: SchemaNode, path: string): Record<string, unknown> {
  const schema = publishedForm(node, path);
  return takesPlaceholder(node) ? withPlaceholder(schema) : schema;
}

/** Without our own keywords and without bounds that only repeat what a number can hold; keys carry their path as title. */
function publishedForm(node: SchemaNode, path = ''): Record<string, unknown> {
  const { unit: _unit, restart: _restart, properties, additionalProperties, items, anyOf, ...own } = node;
  const { $schema: _dialect, ...rest } = own as typeof own & { $schema?: string };
  const schema: Record<string, unknown> = path === '' ? rest : { title: path, ...rest };
  if (rest.maximum === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  if (rest.minimum === Number.MIN_SAFE_INTEGER) delete schema['minimum'];
  if (properties !== undefined) {
    schema['properties'] = Object.fromEntries(
      Object.entries(properties).map(([key, child]) => [key, published(child, join(path, key))]),
    );
  }
  if (additionalProperties !== undefined) {
    schema['additionalProperties'] =
      additionalProperties === false ? false : published(additionalProperties, `${path}.<name>`);
  }
  if (items !== undefined) schema['items'] = published(items, '');
  if (anyOf !== undefined) schema['anyOf'] = [...anyOf.map((form) => publishedForm(form)), placeholderRef];
  return schema;
}

/** Numbers, flags, fixed words and patterns would reject the text of a placeholder; the one of secrets accepts it. */
function takesPlaceholder({ type, enum: words, pattern, unit }: SchemaNode): boolean {
  if (type === 'number' || type === 'integer' || type === 'boolean' || words !== undefined) return true;
  return pattern !== undefined && unit !== 'secret';
}

/** Splits what describes the key from what judges the value, so that the value may also be a placeholder. */
function withPlaceholder(schema: Record<string, unknown>): Record<string, unknown> {
  const { title, description, default: byDefault, ...judging } = schema;
  const described = { title, description, default: byDefault };
  const kept = Object.fromEntries(Object.entries(described).filter(([, value]) => value !== undefined));
  return { ...kept, anyOf: [judging, placeholderRef] };
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
