import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { multipartBoundary, scanMultipart } from './multipart-scan.ts';

const options = { names: new Set(['model', 'stream']), valueBytesMax: 100 };

function values(body: string | Buffer, boundary = 'XyZ'): Record<string, string> | undefined {
  const fields = scanMultipart(Buffer.from(body as string, 'latin1'), boundary, options);
  return fields && Object.fromEntries(Array.from(fields.values(), ({ name, value }) => [name, value]));
}

const part = (name: string, value: string): string =>
  `--XyZ\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const file = (contents: string): string =>
  `--XyZ\r\nContent-Disposition: form-data; name="model"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n${contents}\r\n`;

describe('multipartBoundary', () => {
  test.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['Multipart/Form-Data; charset=utf-8; Boundary="a b;c"', 'a b;c'],
    ['multipart/form-data', undefined],
    ['multipart/form-data; boundary=', undefined],
    ['multipart/mixed; boundary=abc', undefined],
    ['multipart/form-data; boundary=abc; boundary=def', undefined],
    ['multipart/form-data; x="; boundary=abc"; boundary=def', undefined],
    ['application/json; x=multipart/form-data; boundary=abc', undefined],
  ])('reads %j as %j', (contentType, boundary) => {
    expect(multipartBoundary(contentType)).toBe(boundary);
  });
});

describe('scanMultipart', () => {
  test('finds fields before and after a file, files aside', () => {
    const contents = `RIFF\0\xff\r\n\r\n--XyZabc\r\nContent-Disposition: form-data; name="model"\r\n\r\nno\r\n--Xy`;
    expect(
      values(`${file(contents)}${part('model', 'whisper')}${part('stream', 'true')}--XyZ--\r\n`),
    ).toEqual({
      model: 'whisper',
      stream: 'true',
    });
    expect(values(`${part('model', 'whisper')}${file(contents)}--XyZ--`)).toEqual({ model: 'whisper' });
  });

  test('knows where the value is', () => {
    const body = Buffer.from(`${part('a', 'b')}${part('model', 'tiny')}--XyZ--`);
    const field = scanMultipart(body, 'XyZ', options)?.get('model');
    expect(body.toString('utf8', field?.start, field?.end)).toBe('tiny');
  });

  test.each([
    [
      'a preamble and padding',
      `hello\r\n--XyZ \t\r\nContent-Disposition: form-data; name=model\r\n\r\na\r\n--XyZ--`,
      { model: 'a' },
    ],
    ['a field that comes twice', `${part('model', 'a')}${part('model', 'a')}--XyZ--`, { model: 'a' }],
    ['an empty value', `${part('model', '')}--XyZ--`, { model: '' }],
    ['a part without headers', `--XyZ\r\n\r\nx\r\n${part('model', 'a')}--XyZ--`, { model: 'a' }],
    ['no field too large', `${part('model', 'a'.repeat(101))}--XyZ--`, {}],
    ['UTF-8', Buffer.from(`${part('model', 'modèle')}--XyZ--`).toString('latin1'), { model: 'modèle' }],
  ])('takes %s', (_, body, expected) => {
    expect(values(body)).toEqual(expected);
  });

  test.each([
    ['', 'no delimiter at all'],
    ['--XyZ', 'an unfinished delimiter'],
    [`${file('abc')}--XyZ\r\nContent-Disposition`, 'an unfinished head'],
    [
      `${part('a', 'b')}--XyZ\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhis`,
      'an unfinished value',
    ],
    [`${part('a', 'b').repeat(1_001)}--XyZ--`, 'too many parts'],
    [`${part('model', 'a')}${part('model', 'b')}--XyZ--`, 'a field of two values'],
    [`${part('x"; name="model', 'a')}--XyZ--`, 'a field of two names'],
    [`--XyZ\r\nA: ${'b'.repeat(20_000)}\r\n\r\nx\r\n--XyZ--`, 'a huge head'],
  ])('refuses %s (%s)', (body) => {
    expect(values(body)).toBeUndefined();
  });

  test('finds the field whatever the file holds', () => {
    const contents = fc.array(
      fc.oneof(
        fc.constantFrom('\r\n', '--', 'XyZ', '\r\n--Xy', '\r\n--XyZa', '"'),
        fc.string({ unit: 'binary' }),
      ),
    );
    fc.assert(
      fc.property(contents, (pieces) => {
        const text = Buffer.from(pieces.join('')).toString('latin1');
        fc.pre(!/\r\n--XyZ(--|[ \t]*\r\n)/.test(`${text}\r\n`));
        expect(values(`${file(text)}${part('model', 'm')}--XyZ--`)).toEqual({ model: 'm' });
      }),
    );
  });
});
