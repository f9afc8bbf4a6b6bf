import { describe, expect, test } from 'vitest';
import { identityTokens, isPersonal } from './personal.ts';

describe('an answer', () => {
  test.each([
    ['an address', 'Mail a.b+c@example.co.uk'],
    ['an id', 'It is 123e4567-e89b-12d3-a456-426614174000.'],
    ['a long number', 'Call 01234567'],
    ['nothing', ''],
  ])('is personal with %s', (_what, answer) => {
    expect(isPersonal(answer, [])).toBe(true);
  });

  test('is not personal with short numbers and signs', () => {
    expect(isPersonal('It was 1234567 at 10:00 @ home.', [])).toBe(false);
  });

  test('is personal when it repeats who its system prompt says is asking', () => {
    expect(isPersonal('Hello Turing!', ['turing'])).toBe(true);
    expect(isPersonal('Hello!', ['turing'])).toBe(false);
  });
});

describe('a system prompt', () => {
  test('names its user by address, number and tagged words', () => {
    const prompt =
      'You help. User id: 4711.\n[Tags: memory, identity] Their name is Ada Turing, ada@example.com\nBe short.';
    expect(new Set(identityTokens(prompt))).toEqual(
      new Set(['ada@example.com', '4711', 'turing', 'example']),
    );
  });

  test('names nobody when it is the same for all', () => {
    expect(identityTokens('You are a helpful assistant.\n[Tags: style] Short words')).toEqual([]);
    expect(identityTokens('')).toEqual([]);
  });
});
