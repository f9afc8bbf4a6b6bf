/** Plain values out of the tree, and how a value may be shown in a message. */
import { tryExactNumber } from '../base/exact-json.ts';
import { nearestName } from '../base/nearest-name.ts';
import type { ConfigPath } from './problems.ts';
import { shownText } from './problems.ts';
import { alternatives, childSchema, holdsSecret, schemaAt } from './schema-node.ts';
import type { SchemaNode } from './schema-node.ts';
import type { TreeNode, TreeScalar } from './tree.ts';

/** The words for flags that YAML 1.1 knows. */
const flags: ReadonlyMap<string, boolean> = new Map([
  ['yes', true],
  ['on', true],
  ['y', true],
  ['no', false],
  ['off', false],
  ['n', false],
]);

/** How strictly the kind of a value is judged. */
export interface PlainOptions {
  /** As llama-swap does: a number is taken as text where text is wanted, `yes` and `off` as flags. */
  readonly lenient: boolean;
}

/**
 * The value that the schema judges. An empty value of a known key counts as not written; text from the environment
 * becomes a number or a flag where only that is taken.
 */
export function toPlain(
  node: TreeNode,
  schema: SchemaNode | undefined,
  options: PlainOptions = { lenient: false },
): unknown {
  if (node.kind === 'scalar') return typed(node, schema, options);
  if (node.kind === 'list') {
    return node.items.map((item, index) => toPlain(item, schema && childSchema(schema, index), options));
  }
  const plain: Record<string, unknown> = {};
  for (const [key, entry] of node.entries) {
    const child = schema && childSchema(schema, key);
    const value = toPlain(entry.node, child, options);
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
  const isText = typeof value === 'string';
  const quotes = !isText && wantsText && !accepts(schema, typeof value) ? ' (put it in quotes)' : '';
  if (schema === undefined || holdsSecret(schema)) {
    return typeof value === 'string' ? (wantsText ? '' : ', is text') : `, is a ${typeof value}${quotes}`;
  }
  if (typeof value !== 'string') return `, is ${value}${schema.unit === undefined ? quotes : ''}`;
  const near = schema.enum === undefined ? undefined : nearestName(value, schema.enum);
  return `, is '${shownText(value)}'${near === undefined ? '' : ` (did you mean '${near}'?)`}`;
}

function typed(
  { value, variables, plainText }: TreeScalar,
  schema: SchemaNode | undefined,
  { lenient }: PlainOptions,
): unknown {
  if (value === null) return null;
  if (schema === undefined || isFree(schema)) return asWrittenNumber(value, plainText);
  const asWritten = plainText !== undefined && (lenient || variables.length > 0);
  if (typeof value !== 'string') {
    return asWritten && acceptsText(schema) && !accepts(schema, typeof value) ? plainText : value;
  }
  if (acceptsText(schema)) return value;
  if (asWritten && lenient && schema.type === 'boolean') return flags.get(value.toLowerCase()) ?? value;
  if (variables.length === 0) return value;
  if (value === 'true' || value === 'false') return value === 'true';
  return /^[-+]?\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
}

/** Free values go into requests: a number keeps its digits. */
function asWrittenNumber(value: TreeScalar['value'], plainText: string | undefined): unknown {
  if (typeof value !== 'number' || plainText === undefined) return value;
  return tryExactNumber(plainText.replace(/^\+/, '')) ?? value;
}

/** Any value is taken as it is. */
function isFree(schema: SchemaNode): boolean {
  return schema.type === undefined && schema.anyOf === undefined && schema.enum === undefined;
}

function accepts(schema: SchemaNode, kind: string): boolean {
  return alternatives(schema).some(({ type }) => type === kind || (kind === 'number' && type === 'integer'));
}

function acceptsText(schema: SchemaNode): boolean {
  return alternatives(schema).some(({ type }) => type === 'string');
}
