import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bigNumberOf, copyExactJson, isBigNumber, parseExactJson } from './exact-json.ts';

test('exact JSON keeps the digits of whole numbers', () => {
  const text = '{"seed":12345678901234567890,"list":[-9007199254740993],"x":1.5,"y":9007199254740991}';
  expect(JSON.stringify(parseExactJson(text))).toBe(text);
});

test('exact JSON gives the nearest double of a big number', () => {
  const value = parseExactJson('18446744073709551616');
  expect(isBigNumber(value) && bigNumberOf(value)).toBe(2 ** 64);
});

test('exact JSON leaves strings with many digits alone', () => {
  expect(parseExactJson('{"id":"12345678901234567890"}')).toEqual({ id: '12345678901234567890' });
});

test('exact JSON reads everything else as JSON.parse does', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(JSON.parse(JSON.stringify(parseExactJson(text)))).toEqual(JSON.parse(text));
    }),
  );
});

test('exact JSON throws for broken text', () => {
  expect(() => parseExactJson('{"a":12345678901234567890')).toThrow(SyntaxError);
});

test('a copy of exact JSON keeps the digits and can be changed', () => {
  const text = '{"seed":12345678901234567890,"list":[{"a":1}]}';
  const value = parseExactJson(text) as { list: { a: number }[] };
  const copy = copyExactJson(value);
  copy.list[0] = { a: 2 };
  expect([JSON.stringify(value), JSON.stringify(copy)]).toEqual([text, text.replace('"a":1', '"a":2')]);
});
