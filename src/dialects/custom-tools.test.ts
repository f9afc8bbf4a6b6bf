import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FreeTextReader, grammarOf, toFunctionCall, toFunctionTool } from './custom-tools.ts';

const patch = '*** Begin Patch\n+ "ä" \\d 🦙\u2028\n*** End Patch';

function read(pieces: readonly string[]): { text: string; pieces: string[] } {
  const reader = new FreeTextReader();
  const given = [...pieces.map((piece) => reader.push(piece)), reader.end()];
  return { text: given.join(''), pieces: given };
}

describe('a custom tool', () => {
  test('becomes a function with one text', () => {
    expect(toFunctionTool({ kind: 'custom', name: 'run', description: 'Runs it.' })).toEqual({
      kind: 'function',
      name: 'run',
      description: 'Runs it.',
      parameters: {
        type: 'object',
        properties: { input: { type: 'string', description: 'Free text for the tool.' } },
        required: ['input'],
        additionalProperties: false,
      },
    });
  });

  test.each([
    { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
    { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "x"' } },
  ])('tells its grammar in the description: %j', (format) => {
    expect(toFunctionTool({ kind: 'custom', name: 'run', format }).description).toBe(
      'The text in `input` must follow this lark grammar:\nstart: "x"',
    );
  });

  test('without a grammar has none to tell', () => {
    expect(grammarOf({ type: 'text' })).toBeUndefined();
    expect(grammarOf({ type: 'grammar' })).toBeUndefined();
    expect(grammarOf('grammar')).toBeUndefined();
  });
});

test('a call goes back to the engine as JSON', () => {
  const call = { kind: 'toolCall', id: 'c', name: 'run', arguments: patch, custom: true } as const;
  expect(toFunctionCall(call)).toEqual({
    kind: 'toolCall',
    id: 'c',
    name: 'run',
    arguments: JSON.stringify({ input: patch }),
  });
});

describe("the text of a call's JSON", () => {
  test.each<[string, string]>([
    [JSON.stringify({ input: patch }), patch],
    ['\n { "input" :\t"a" } ', 'a'],
    ['{"input":"\\u00e4\\uD83E\\udd99\\/"}', 'ä🦙/'],
    ['{"input":""}', ''],
    ['{"input":"cut of', 'cut of'],
    ['{"input":"cut of\\u00', 'cut of'],
    ['{"input":"no escape: \\d \\u12zz"}', 'no escape: \\d \\u12zz'],
    ['{"input":"lone \\ud83e"}', 'lone \ud83e'],
    ['{"input":"a","more":1}', 'a'],
    ['{"more":1,"input":"a"}', 'a'],
    ['{"patch":"a"}', 'a'],
    ['{"patch":"a","more":"b"}', '{"patch":"a","more":"b"}'],
    ['"a \\" b"', 'a " b'],
    ['"hello", she said', '"hello", she said'],
    ['{ a: 1 }', '{ a: 1 }'],
    [patch, patch],
    [' 12', ' 12'],
    ['', ''],
  ])('%j means %j', (json, text) => {
    expect(read([json]).text).toBe(text);
    expect(read(json.split('')).text).toBe(text);
  });

  test('is known while it streams', () => {
    const reader = new FreeTextReader();
    expect(['{"inp', 'ut": "ab', 'c\\', 'nd"', '}'].map((piece) => reader.push(piece))).toEqual([
      '',
      'ab',
      'c',
      '\nd',
      '',
    ]);
    expect(reader.end()).toBe('');
  });

  test('is the same for any split, and its pieces tear no character', () => {
    const json = fc.oneof(
      fc.string({ unit: 'grapheme' }).map((input) => JSON.stringify({ input })),
      fc
        .string({ unit: 'binary' })
        .map((input) =>
          JSON.stringify({ input }).replaceAll(
            /[^ -~]/g,
            (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
          ),
        ),
      fc.json(),
      fc.string(),
    );
    fc.assert(
      fc.property(json, fc.array(fc.nat(200)), (text, cuts) => {
        const points = [0, ...cuts.filter((cut) => cut < text.length).toSorted((a, b) => a - b), text.length];
        const whole = read([text]);
        const split = read(points.slice(1).map((end, index) => text.slice(points[index], end)));
        expect(split.text).toBe(whole.text);
        if (whole.text.isWellFormed())
          for (const piece of split.pieces) expect(piece.isWellFormed()).toBe(true);
      }),
    );
  });

  test.each<[string, boolean]>([
    ['{"input":"a"', true],
    ['{"input":"a', false],
    ['{"patch":"a"}', true],
    ['{"patch":"a"', false],
    ['', false],
  ])('%j is whole: %s', (json, isWhole) => {
    const reader = new FreeTextReader();
    reader.push(json);
    expect(reader.isWhole).toBe(isWhole);
  });
});
