import { describe, expect, test } from 'vitest';
import { readWish } from './cache-wish.ts';

const bodyOf = (more: string): Buffer => Buffer.from(`{ "model": "m"${more}, "seed": 12345678901234567890 }`);

describe('the wish of a request', () => {
  test('is taken out of its body, the rest stays byte for byte', () => {
    const { wish, body } = readWish([], bodyOf(', "nomyo": {"cache": true, "other": 1}'));
    expect(wish).toEqual({ reads: true, writes: true, isRequired: false });
    expect(body.toString()).toBe('{ "model": "m", "seed": 12345678901234567890 }');
  });

  test('is none without a word, and the body is the same one', () => {
    const received = bodyOf(', "messages": "\\"nomyo\\""');
    expect(readWish([], received)).toEqual({ wish: undefined, body: received });
    expect(readWish([], Buffer.from('no JSON "nomyo"')).wish).toBeUndefined();
  });

  test.each([
    ', "nomyo": {"cache": false}',
    ', "nomyo": {"cache": null}',
    ', "nomyo": {}',
    ', "nomyo": true',
  ])('is none with %s, which goes all the same', (more) => {
    const { wish, body } = readWish([], bodyOf(more));
    expect(wish).toBeUndefined();
    expect(body.toString()).not.toContain('nomyo');
  });

  test('of the header wins', () => {
    const { wish, body } = readWish(['X-Llamero-Cache', ' Refresh '], bodyOf(', "nomyo": {"cache": true}'));
    expect(wish).toEqual({ reads: false, writes: true, isRequired: false });
    expect(body.toString()).not.toContain('nomyo');
    expect(readWish(['x-llamero-cache', 'off'], bodyOf(', "nomyo": {"cache": true}')).wish).toBeUndefined();
  });

  test.each(['', 'yes', 'constructor'])('is refused when it is %j', (word) => {
    expect(() => readWish(['x-llamero-cache', word], bodyOf(''))).toThrow('must be one of use, refresh');
  });

  test('is refused in the body with its place', () => {
    expect(() => readWish([], bodyOf(', "nomyo": {"cache": "yes"}'))).toThrow('nomyo.cache must be one of');
  });
});
