/** Plain values out of the tree, and how a value may be shown in a message. */
import { nearestName } from '../base/nearest-name.ts';
import type { ConfigPath } from './problems.ts';
import { shownText } from './problems.ts';
import { alternatives, childSchema, holdsSecret, schemaAt } from './schema-node.ts';
import type { SchemaNode } from './schema-node.ts';
import type { TreeNode, TreeScalar } from './tree.ts';

/**
 * The value that the schema judges. An empty value of a known key counts as not written; text from the environment
 * becomes a number or a flag where only that is taken.
 */
export function toPlain(node: TreeNode, schema: SchemaNode | undefined): unknown {
  if (node.kind === 'scalar') return typed(node, schema);
  if (node.kind === 'list') {
    return node.items.map((item, index) => toPlain(item, schema && childSchema(schema, index)));
  }
  const plain: Record<string, unknown> = {};
  for (const [key, entry] of node.entries) {
    const child = schema && childSchema(schema, key);
    const value = toPlain(entry.node, child);
    if (value !== null || child === undefined) plain[key] = value;
    else if (schema?.properties?.[key] === undefined) plain[key] = child.type === 'object' ? {} : null;
  }
  return plain;
}

/** `, is 0`; empty for what must not be shown. */
export function describeValue(node: TreeNode | undefined, path: ConfigPath): string {
  if (node === undefined) return '';
  if (node.kind === 'map') return ', is a map';
  if (node.kind === 'list') return node.items.length === 0 ? ', is empty' : ', is a list';
  const { value, variables } = node;
  if (variables.length > 0) return ` (from ${variables.map((name) => `\${env.${name}}`).join(' and ')})`;
  if (value === null) return ', is empty';
  const schema = schemaAt(path);
  const wantsText = schema !== undefined && schema.enum === undefined && acceptsText(schema);
  const quotes = typeof value !== 'string' && wantsText ? ' (put it in quotes)' : '';
  if (schema === undefined || holdsSecret(schema)) {
    return typeof value === 'string' ? (wantsText ? '' : ', is text') : `, is a ${typeof value}${quotes}`;
  }
  if (typeof value !== 'string') return `, is ${value}${schema.unit === undefined ? quotes : ''}`;
  const near = schema.enum === undefined ? undefined : nearestName(value, schema.enum);
  return `, is '${shownText(value)}'${near === undefined ? '' : ` (did you mean '${near}'?)`}`;
}

function typed({ value, variables }: TreeScalar, schema: SchemaNode | undefined): TreeScalar['value'] {
  if (variables.length === 0 || typeof value !== 'string' || schema === undefined) return value;
  if (acceptsText(schema)) return value;
  if (value === 'true' || value === 'false') return value === 'true';
  return /^[-+]?\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
}

function acceptsText(schema: SchemaNode): boolean {
  return alternatives(schema).some(({ type }) => type === 'string');
}
