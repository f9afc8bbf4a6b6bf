import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { patchInPieces, patchJsonObject } from './json-patch.ts';
import { scanJsonObject } from './json-scan.ts';
import type { JsonEdits } from './json-patch.ts';

const patch = (text: string, edits: JsonEdits): string | undefined =>
  patchJsonObject(Buffer.from(text), edits)?.toString();

describe('patchJsonObject', () => {
  test.each<[string, JsonEdits, string]>([
    ['{"a":1}', { set: { a: '2' } }, '{"a":2}'],
    ['{ "a" : 1 , "b":2 }', { set: { a: '"é"' } }, '{ "a" : "é" , "b":2 }'],
    ['{"a":1}', { set: { b: 'true', c: '{}' } }, '{"a":1,"b":true,"c":{}}'],
    ['{ }', { set: { b: 'true', c: '1' } }, '{"b":true,"c":1 }'],
    ['{"a":1,"b":2,"c":3}', { remove: ['a'] }, '{"b":2,"c":3}'],
    ['{"a":1,"b":2,"c":3}', { remove: ['b'] }, '{"a":1,"c":3}'],
    ['{"a":1,"b":2,"c":3}', { remove: ['c'] }, '{"a":1,"b":2}'],
    ['{"a":1, "b":2 ,"c":3 }', { remove: ['b', 'c'] }, '{"a":1 }'],
    ['{ "a":1,"b":2 }', { remove: ['b', 'a'] }, '{  }'],
    ['{"a":1,"b":2}', { remove: ['b', 'a'], set: { c: '3' } }, '{"c":3}'],
    ['{"a":1,"b":2}', { remove: ['b'], set: { c: '3' } }, '{"a":1,"c":3}'],
    ['{"a":1,"b":2}', { remove: ['b'], set: { a: '0', c: '3' } }, '{"a":0,"c":3}'],
    ['{"a":1,"a":2}', { set: { a: '3' } }, '{"a":3,"a":3}'],
    ['{"a":1,"b":0,"a":2}', { remove: ['a'] }, '{"b":0}'],
    ['{"a":1}', { remove: ['a'], set: { a: '2' } }, '{"a":2}'],
    ['{"seed":12345678901234567890}', { set: { 'q"': '1' } }, '{"seed":12345678901234567890,"q\\"":1}'],
  ])('turns %s with %j into %s', (text, edits, expected) => {
    expect(patch(text, edits)).toBe(expected);
  });

  test('returns the same buffer when nothing changes', () => {
    const body = Buffer.from('{"a":1}');
    expect(patchJsonObject(body, { remove: ['b'], set: {} })).toBe(body);
  });

  test.each([['[1]'], ['{"a":1'], ['']])('returns undefined for %j', (text) => {
    expect(patch(text, { set: { a: '1' } })).toBeUndefined();
  });

  test('does to the text what the same edits do to the parsed object', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'model', '"', 'é');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(key, fc.jsonValue()), { maxLength: 8 }),
        fc.dictionary(key, fc.jsonValue()),
        fc.array(key),
        fc.constantFrom('', ' ', '\n\t'),
        (members, set, remove, blank) => {
          const written = members.map(
            ([name, value]) => `${JSON.stringify(name)}:${blank}${JSON.stringify(value)}`,
          );
          const text = `{${blank}${written.join(`${blank},${blank}`)}${blank}}`;
          const texts = Object.fromEntries(
            Object.entries(set).map(([name, value]) => [name, JSON.stringify(value)]),
          );
          const expected = JSON.parse(text) as Record<string, unknown>;
          for (const name of remove) delete expected[name];
          Object.assign(expected, JSON.parse(JSON.stringify(set)));
          expect(JSON.parse(patch(text, { set: texts, remove }) ?? '')).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });
});

test('patchInPieces copies nothing of the body', () => {
  const body = Buffer.from('{"a":1,"b":2}');
  const object = scanJsonObject(body);
  if (object === undefined) throw new Error('no object');
  const pieces = patchInPieces(body, { set: { a: '0', c: '3' } }, object);
  body.fill('-');
  expect(pieces.join('|')).toBe('-----|0|------|,"c":3|-');
});
