import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { arbitraryConfig } from '../../test/fixtures/config/arbitrary-config.ts';
import { configJsonSchemaText } from './json-schema.ts';

const text = configJsonSchemaText();
const schema = JSON.parse(text) as z.core.JSONSchema.JSONSchema;
/** The published schema, judged by what it says and not by the schema that it was made from. */
const validator = z.fromJSONSchema(schema);
const root = resolve(import.meta.dirname, '../..');

describe('configJsonSchemaText', () => {
  test('is a draft 2020-12 schema without keywords of our own', () => {
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(text).not.toMatch(/"(unit|restart)":/);
    expect(text.endsWith('}\n')).toBe(true);
  });

  test('shows defaults as they are written in a file', () => {
    expect(schema.properties).toMatchObject({
      listen: { default: '127.0.0.1:8700' },
      scheduling: { properties: { queueTimeout: { default: '5m' }, queueMax: { default: 10_000 } } },
      limits: { properties: { body: { default: '100MiB' } } },
    });
  });

  test('describes every key and closes every map with fixed keys', () => {
    const visit = (node: Record<string, unknown>, path: string): void => {
      const properties = (node['properties'] ?? {}) as Record<string, Record<string, unknown>>;
      if (node['properties'] !== undefined) expect(node['additionalProperties'], path).toBe(false);
      for (const [key, child] of Object.entries(properties)) {
        expect(child['description'], `${path}.${key}`).toEqual(expect.any(String));
        expect(child['title'], `${path}.${key}`).toEqual(expect.any(String));
        visit(child, `${path}.${key}`);
      }
      for (const below of [
        node['items'],
        node['additionalProperties'],
        ...((node['anyOf'] as unknown[]) ?? []),
      ]) {
        if (typeof below === 'object' && below !== null) visit(below as Record<string, unknown>, `${path}.*`);
      }
    };
    visit(schema, '');
  });

  test.each(readdirSync(join(root, 'examples')))('accepts examples/%s', (name) => {
    const value: unknown = parse(readFileSync(join(root, 'examples', name), 'utf8'), { merge: true });
    expect(validator.safeParse(value).error).toBeUndefined();
  });

  test('accepts whatever the loader accepts', () => {
    fc.assert(
      fc.property(arbitraryConfig, (written) => {
        expect(validator.safeParse(written).error).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    { frobnicate: 1 },
    { backends: { a: {} } },
    { backends: { a: { url: 'http://a:1', slots: '4' } } },
    { backends: { 'a b': { url: 'http://a:1' } } },
    { scheduling: { scorers: { wieght: 1 } } },
    { scheduling: { queueTimeout: '5x' } },
    { apiKeys: [{ key: 'k' }] },
    { listen: [] },
  ])('rejects %j', (value) => {
    expect(validator.safeParse(value).success).toBe(false);
  });

  test('accepts a variable where a number is taken', () => {
    const value = { backends: { a: { url: 'http://a:1', slots: '${env.SLOTS}', weight: '${env.W}' } } };
    expect(validator.safeParse(value).success).toBe(true);
  });
});
