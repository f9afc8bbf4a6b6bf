import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { lastMember, scanArray, scanJsonObject, scanValueAt } from './json-scan.ts';
import { tryDecodeString } from './json-string.ts';
import type { JsonObjectSpan } from './json-scan.ts';

const scan = (text: string): JsonObjectSpan | undefined => scanJsonObject(Buffer.from(text));

function toRecord(text: string, object: JsonObjectSpan): Map<string, unknown> {
  const bytes = Buffer.from(text);
  return new Map(
    object.members.map(({ key, start, end }) => [key, JSON.parse(bytes.toString('utf8', start, end))]),
  );
}

/** JSON text of a value with other white space and other escapes, the same to every parser. */
function rewrite(value: unknown, pick: (max: number) => number): string {
  const blank = (): string => ['', ' ', '\n', '\t \r\n'][pick(4)] ?? '';
  const write = (part: unknown): string => {
    if (Array.isArray(part)) return `[${blank()}${part.map(write).join(`${blank()},${blank()}`)}${blank()}]`;
    if (typeof part === 'string') return writeString(part);
    if (typeof part !== 'object' || part === null) return JSON.stringify(part);
    const members = Object.entries(part).map(
      ([key, item]) => `${writeString(key)}${blank()}:${blank()}${write(item)}`,
    );
    return `{${blank()}${members.join(`${blank()},${blank()}`)}${blank()}}`;
  };
  const writeString = (text: string): string =>
    pick(3) > 0
      ? JSON.stringify(text)
      : `"${Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`;
  return `${blank()}${write(value)}${blank()}`;
}

describe('scanJsonObject', () => {
  test('finds the top-level members and nothing that is nested', () => {
    const text = `\ufeff {"messages":[{"role":"user","content":"say {\\"model\\":\\"no\\"} \\\\"}],\n "x":{"model":"inner"},"model" : "yes","stream":true,"n":-1.5e+3,"o":null,"p":false}\n`;
    const object = scan(text);
    expect(object?.members.map(({ key, kind }) => `${key}:${kind}`)).toEqual([
      'messages:array',
      'x:object',
      'model:string',
      'stream:true',
      'n:number',
      'o:null',
      'p:false',
    ]);
    const bytes = Buffer.from(text);
    const model = lastMember(object!, 'model');
    expect(bytes.toString('utf8', model?.start, model?.end)).toBe('"yes"');
  });

  test('decodes escapes in keys, and the last of two equal keys counts', () => {
    const object = scan('{"model":"a","mod\\u0065l":"b","\\"q\\"":1}');
    expect(object?.members.map(({ key }) => key)).toEqual(['model', 'model', '"q"']);
    expect(lastMember(object!, 'model')?.start).toBe(26);
  });

  test.each([
    [''],
    ['  '],
    ['[]'],
    ['"a"'],
    ['{'],
    ['{}}'],
    ['{} x'],
    ['{"a"}'],
    ['{"a":}'],
    ['{"a":1,}'],
    ['{,"a":1}'],
    ['{"a" 1}'],
    ['{"a":1 "b":2}'],
    ['{a:1}'],
    ['{"a":tru}'],
    ['{"a":nulll}'],
    ['{"a":01}'],
    ['{"a":1.}'],
    ['{"a":-}'],
    ['{"a":1e}'],
    ['{"a":+1}'],
    ['{"a":"b}'],
    ['{"a":"b\\"}'],
    ['{"a":[1,]}'],
    ['{"a":[1 2]}'],
    ['{"a":[}'],
    ['{"a":[1}]'],
    ['{"a":{"b":1]}'],
    ['{"a":{"b"}}'],
    ['{"a":{1:2}}'],
    ['{"\\x":1}'],
    ['{"a":NaN}'],
  ])('says %j is malformed', (text) => {
    expect(scan(text)).toBeUndefined();
  });

  test('agrees with JSON.parse on any object in any spelling', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
        fc.infiniteStream(fc.nat(11)),
        (value, choices) => {
          const text = rewrite(value, (max) => Number(choices.next().value) % max);
          const object = scan(text);
          expect(object).toBeDefined();
          expect(toRecord(text, object!)).toEqual(new Map(Object.entries(JSON.parse(text) as object)));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('accepts what JSON.parse accepts and refuses broken structure, whatever is cut or changed', () => {
    const mutation = fc.record({
      at: fc.nat(500),
      byte: fc.constantFrom(...Array.from('{}[]",:\\ 0e-tfn')),
      cut: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        (value, mutations) => {
          let text = JSON.stringify(value);
          for (const { at, byte, cut } of mutations) {
            const index = at % (text.length + 1);
            text = cut ? text.slice(0, index) : text.slice(0, index) + byte + text.slice(index + 1);
          }
          const object = scan(text);
          let parsed: unknown;
          try {
            parsed = JSON.parse(text);
          } catch {
            // The inside of strings is not checked: without any escapes, the text has to parse.
            if (object !== undefined) parsed = JSON.parse(text.replace(/\\[^]/g, 'x'));
          }
          const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
          expect(object !== undefined).toBe(isObject);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('stays linear on strings full of escaped quotes and backslashes', () => {
    for (const filler of ['\\"', '\\\\', '\\\\\\"', `${'a'.repeat(97)}\\"`, 'é"'.replace('"', '\\"')]) {
      const content = filler.repeat(200_000);
      const object = scan(`{"a":"${content}","model":"b"}`);
      expect(object?.members.map(({ key }) => key)).toEqual(['a', 'model']);
    }
  });

  test('bounds depth and members', () => {
    const nested = (depth: number): string => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(scan(nested(512))).toBeDefined();
    expect(scan(nested(513))).toBeUndefined();
    expect(scan(`{${'"a":1,'.repeat(5_000)}"b":1}`)).toBeUndefined();
    expect(scan(`{"a":${'{"a":'.repeat(100_000)}`)).toBeUndefined();
  });
});

describe('scanArray', () => {
  test('visits elements until it is told to stop', () => {
    const bytes = Buffer.from('x[ 1 , "a,]" ,{"b":[2]}, false, broken');
    const seen: string[] = [];
    const result = scanArray(bytes, { start: 1, end: bytes.length }, new Map(), ({ kind, start, end }) => {
      seen.push(`${kind} ${bytes.toString('utf8', start, end)}`);
      return kind !== 'false';
    });
    expect(result).toBe(true);
    expect(seen).toEqual(['number 1', 'string "a,]"', 'object {"b":[2]}', 'false false']);
  });

  test.each([
    ['[]', true],
    ['[1]', true],
    ['[1', false],
    ['[1,', false],
    ['[1,]', false],
    ['[x]', false],
    ['{}', false],
  ])('says of %s: %s', (text, result) => {
    expect(scanArray(Buffer.from(text), { start: 0, end: text.length }, new Map(), () => true)).toBe(result);
  });
});

describe('scanValueAt', () => {
  test('stops at the limit', () => {
    const bytes = Buffer.from('"abc"{"a":1}');
    expect(scanValueAt(bytes, 0, 5)).toEqual({ kind: 'string', start: 0, end: 5 });
    expect(scanValueAt(bytes, 0, 4)).toBeUndefined();
    expect(scanValueAt(bytes, 5, 11)).toBeUndefined();
    expect(scanValueAt(bytes, 5, 12)).toEqual({ kind: 'object', start: 5, end: 12 });
    expect(scanValueAt(bytes, 12, 12)).toBeUndefined();
  });
});

describe('tryDecodeString', () => {
  test('decodes escapes and refuses bad ones', () => {
    const decode = (text: string): string | undefined => tryDecodeString(Buffer.from(text), 0, text.length);
    expect(decode('"plain"')).toBe('plain');
    expect(decode('"a\\n\\u00e9"')).toBe('a\né');
    expect(decode('"\\x"')).toBeUndefined();
  });
});
