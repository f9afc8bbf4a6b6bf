/**
 * The schema as data: what keys exist, what they take, what is secret. Read from zod's JSON Schema, so that nothing here
 * depends on how zod works inside. Messages, docs, printing and the published schema all walk this tree.
 */
import { z } from 'zod';
import type { ConfigPath } from './problems.ts';
import { configSchema } from './schema.ts';

/** The part of JSON Schema that the configuration uses, and our own `unit` and `restart`. */
export interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean';
  readonly description?: string;
  /** As it would be written in the file. */
  readonly default?: unknown;
  readonly unit?: 'duration' | 'size' | 'secret';
  /** A change takes effect only after a restart. */
  readonly restart?: boolean;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  /** The schema of every value of a map with free keys; false = only `properties`. */
  readonly additionalProperties?: false | SchemaNode;
  readonly propertyNames?: { readonly pattern?: string; readonly enum?: readonly string[] };
  readonly items?: SchemaNode;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minItems?: number;
  readonly pattern?: string;
}

/** Top-level keys with this beginning are ignored: a place for YAML anchors. */
export const ignoredKeyPrefix = 'x-';

export const rootNode: SchemaNode = z.toJSONSchema(configSchema, { io: 'input' }) as SchemaNode;

/** The schema at a path; undefined where the schema knows no such key. */
export function schemaAt(path: ConfigPath): SchemaNode | undefined {
  let node: SchemaNode | undefined = rootNode;
  for (const segment of path) node = node === undefined ? undefined : childSchema(node, segment);
  return node;
}

/** What a key or an index below this node takes. */
export function childSchema(node: SchemaNode, segment: string | number): SchemaNode | undefined {
  for (const { properties, additionalProperties, items } of alternatives(node)) {
    if (typeof segment === 'number') {
      if (items !== undefined) return items;
      continue;
    }
    if (properties !== undefined && Object.hasOwn(properties, segment)) return properties[segment];
    if (typeof additionalProperties === 'object') return additionalProperties;
  }
  return undefined;
}

/** The forms a value may have: most nodes have one. */
export function alternatives(node: SchemaNode): readonly SchemaNode[] {
  return node.anyOf ?? [node];
}

/** Every key that is possible; empty for maps with free keys. */
export function keysOf(node: SchemaNode): string[] {
  return alternatives(node).flatMap(({ properties = {}, propertyNames }) => [
    ...Object.keys(properties),
    ...(propertyNames?.enum ?? []),
  ]);
}

/** True when the node, or anything below it, is a secret: its value must not be shown. */
export function holdsSecret(node: SchemaNode): boolean {
  if (node.unit === 'secret') return true;
  const { anyOf = [], properties = {}, additionalProperties, items } = node;
  const below = [...anyOf, ...Object.values(properties)];
  if (typeof additionalProperties === 'object') below.push(additionalProperties);
  if (items !== undefined) below.push(items);
  return below.some(holdsSecret);
}

/** True where a bare text would be a secret: there even an unknown key may be a misplaced one. */
export function takesSecret(node: SchemaNode): boolean {
  return alternatives(node).some(({ unit }) => unit === 'secret');
}

/** The path as it may be shown: a key that could be a misplaced secret is left out. */
export function shownPath(path: ConfigPath): ConfigPath {
  let node: SchemaNode | undefined = rootNode;
  return path.map((segment) => {
    const parent = node;
    node = parent === undefined ? undefined : childSchema(parent, segment);
    return node === undefined && parent !== undefined && takesSecret(parent) ? '…' : segment;
  });
}

/** Every key with a fixed name, with the place it belongs to: `queueMax` → [`scheduling`]. The top level is `''`. */
export const placesByKey: ReadonlyMap<string, readonly string[]> = collectPlaces();

function collectPlaces(): Map<string, string[]> {
  const places = new Map<string, string[]>();
  const visit = (node: SchemaNode, place: string): void => {
    for (const { properties = {}, additionalProperties, items } of alternatives(node)) {
      for (const [key, child] of Object.entries(properties)) {
        places.set(key, [...(places.get(key) ?? []), place]);
        visit(child, place === '' ? key : `${place}.${key}`);
      }
      if (typeof additionalProperties === 'object') visit(additionalProperties, `${place}.<name>`);
      if (items !== undefined) visit(items, `${place}[]`);
    }
  };
  visit(rootNode, '');
  return places;
}
