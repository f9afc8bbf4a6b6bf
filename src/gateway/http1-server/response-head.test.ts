import { describe, expect, test } from 'vitest';
import { formatAnswerHead } from './response-head.ts';

const plain = { status: 200, closes: false, keepAliveS: 75 };

describe('formatAnswerHead', () => {
  test('writes the status line and the headers as they are', () => {
    const { text, framing } = formatAnswerHead({ ...plain, headers: ['X-A', 'b', 'content-length', '3'] });
    expect(text).toMatch(
      /^HTTP\/1\.1 200 OK\r\nX-A: b\r\ncontent-length: 3\r\nDate: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=75\r\n\r\n$/,
    );
    expect(framing).toBe('length');
  });

  test('says chunked where there is no length, and nothing where no body may follow', () => {
    const chunked = formatAnswerHead({ ...plain, headers: [] });
    expect([chunked.framing, chunked.text.includes('\r\nTransfer-Encoding: chunked\r\n')]).toEqual([
      'chunked',
      true,
    ]);
    for (const status of [204, 304]) {
      const none = formatAnswerHead({ ...plain, status, headers: [] });
      expect([none.framing, none.text.includes('Transfer-Encoding')]).toEqual(['none', false]);
    }
  });

  test('says close in place of keep-alive', () => {
    const { text } = formatAnswerHead({ ...plain, closes: true, headers: [] });
    expect(text).toContain('\r\nConnection: close\r\n');
    expect(text.toLowerCase()).not.toContain('keep-alive');
  });

  test('leaves a date that is there', () => {
    const { text } = formatAnswerHead({ ...plain, headers: ['date', 'today'] });
    expect(text.match(/^date:/gim)).toHaveLength(1);
  });

  test.each([
    ['a line end in a value', ['X-A', 'b\r\nX-B: c']],
    ['a character beyond latin1', ['X-A', '→']],
    ['a blank in a name', ['X A', 'b']],
    ['an empty name', ['', 'b']],
  ])('refuses %s', (_what, headers) => {
    expect(() => formatAnswerHead({ ...plain, headers })).toThrow(TypeError);
  });
});
