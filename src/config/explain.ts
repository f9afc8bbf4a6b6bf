/** Turns what the schema rejected into findings that people can act on. Must not show values: rendering decides that. */
import type { z } from 'zod';
import { likelyPlaces, siblingLike } from './key-hints.ts';
import type { ConfigPath, Finding } from './problems.ts';
import { shownText } from './problems.ts';
import { alternatives, keysOf, schemaAt, takesSecret } from './schema-node.ts';
import type { SchemaNode } from './schema-node.ts';
import { durationForm, sizeForm } from './values.ts';

type Issue = z.core.$ZodIssue;

/** Searching for near names is the slow part; a file with more unknown keys than this is not a configuration. */
const suggestionsMax = 100;

/** One finding per thing to correct. Paths are relative to the root of the file. */
export function explainIssues(issues: readonly Issue[]): Finding[] {
  let suggestionsLeft = suggestionsMax;
  const explain = (issue: Issue, base: ConfigPath): Finding[] => {
    const path = [...base, ...issue.path] as ConfigPath;
    if (issue.code === 'invalid_key') {
      return [invalid(path, `name ${issue.issues[0]?.message}`, { onKey: true })];
    }
    if (issue.code === 'invalid_union') return explainUnion(issue, path, explain);
    if (issue.code !== 'unrecognized_keys') return [explainValue(issue, path)];
    return issue.keys.map((key) => {
      suggestionsLeft -= 1;
      const hint = suggestionsLeft < 0 ? '' : hintForUnknownKey(path, key);
      const name = takesSecret(schemaAt(path) ?? {}) ? '' : ` '${shownText(key)}'`;
      return invalid([...path, key], `unknown key${name}${hint}`, { onKey: true });
    });
  };
  return issues.flatMap((issue) => explain(issue, []));
}

/** A value that has the kind of one alternative is judged by that one; else all kinds are named. */
function explainUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  path: ConfigPath,
  explain: (issue: Issue, base: ConfigPath) => Finding[],
): Finding[] {
  const ofItsKind = issue.errors.find(
    (errors) => !errors.some((error) => error.code === 'invalid_type' && error.path.length === 0),
  );
  if (ofItsKind !== undefined) return ofItsKind.flatMap((inner) => explain(inner, path));
  return [invalid(path, `must be ${formOf(schemaAt(path) ?? {})}`, { showsValue: true })];
}

function explainValue(issue: Issue, path: ConfigPath): Finding {
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) {
    return invalid(path, 'is missing');
  }
  return invalid(path, requirement(issue, schemaAt(path) ?? {}), { showsValue: true });
}

function requirement(issue: Issue, schema: SchemaNode): string {
  if (issue.code === 'invalid_type') return `must be ${formOf(schema)}`;
  if (!/^(?:Invalid|Too (?:small|big))/.test(issue.message)) return issue.message;
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`;
  // Values with a unit bring their own words.
  const isBound = issue.code === 'too_small' || issue.code === 'too_big';
  if (!isBound || schema.unit !== undefined) return issue.message;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`;
  if (issue.origin === 'string') return 'must not be empty';
  if (issue.origin === 'array') return `must have at least ${issue.minimum} item`;
  return `must be ${issue.inclusive === true ? 'at least' : 'more than'} ${issue.minimum}`;
}

/** What a value may look like: `a whole number`, `text or a list`. */
function formOf(schema: SchemaNode): string {
  if (schema.unit === 'duration') return durationForm;
  if (schema.unit === 'size') return sizeForm;
  return [...new Set(alternatives(schema).map(formOfType))].join(' or ');
}

function formOfType({ type, properties, required = [] }: SchemaNode): string {
  switch (type) {
    case 'integer':
      return 'a whole number';
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'array':
      return 'a list';
    case 'object':
      return mapForm(properties ?? {}, required);
    case 'string':
    case undefined:
      return 'text';
    default:
      return type satisfies never;
  }
}

/** All keys of a small map, those of a large one that it cannot do without. */
function mapForm(properties: Readonly<Record<string, unknown>>, required: readonly string[]): string {
  const all = Object.keys(properties);
  const named = all.length <= 2 ? all : required;
  return named.length === 0 ? 'a map' : `a map with ${named.join(' and ')}`;
}

function hintForUnknownKey(path: ConfigPath, key: string): string {
  const schema = schemaAt(path) ?? {};
  const sibling = siblingLike(schema, key);
  if (sibling !== undefined) return ` (did you mean '${sibling}'?)`;
  if (schema.propertyNames?.enum !== undefined) return ` (known: ${keysOf(schema).join(', ')})`;
  const likely = likelyPlaces(key);
  if (likely === undefined) return '';
  if (likely.name === key) return ` (belongs ${likely.places.slice(0, 2).map(underPlace).join(' or ')})`;
  return ` (did you mean '${likely.name}' ${underPlace(likely.places[0] ?? '')}?)`;
}

function underPlace(place: string): string {
  return place === '' ? 'at the top level' : `under ${place}`;
}

function invalid(
  path: ConfigPath,
  message: string,
  options: Pick<Finding, 'onKey' | 'showsValue'> = {},
): Finding {
  return { path, message, code: 'config_invalid', ...options };
}
