import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { peekBody } from './peek.ts';
import type { BodyFacts } from './peek.ts';

interface PeekText {
  readonly text: string;
  readonly type?: string;
  readonly query?: string | URLSearchParams;
}

const peek = ({ text, type, query = '' }: PeekText): BodyFacts =>
  peekBody({ body: Buffer.from(text, 'latin1'), contentType: type, query });

const form = (contents: string): string =>
  `--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n${contents}\r\n` +
  '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n' +
  '--b\r\nContent-Disposition: form-data; name="stream"\r\n\r\ntrue\r\n--b--\r\n';

describe('UTL-1 peekBody', () => {
  test.each([[undefined], ['application/json'], ['text/plain'], ['application/x-www-form-urlencoded']])(
    'finds model and stream in JSON sent as %s',
    (type) => {
      const facts = peek({
        text: '{"messages":[{"model":"no"}],"model":"tiny","stream":true}',
        type: type ?? '',
      });
      expect(facts).toMatchObject({ kind: 'json', model: 'tiny', stream: true });
      expect(facts.object?.members.map(({ key }) => key)).toEqual(['messages', 'model', 'stream']);
    },
  );

  test.each([
    ['{"model":"a\\u0062c"}', 'abc', undefined],
    ['{"model":"a","model":"b","stream":false}', 'b', false],
    ['{"model":"","stream":1}', undefined, false],
    ['{"model":null,"stream":null}', undefined, false],
    ['{"model":["a"]}', undefined, undefined],
    [`{"model":"${'a'.repeat(5_000)}"}`, undefined, undefined],
    ['{}', undefined, undefined],
  ])('reads %.40s as model %s, stream %s', (text, model, stream) => {
    expect(peek({ text })).toMatchObject({ kind: 'json', model, stream });
  });

  test('knows where the model is', () => {
    const text = '{ "model" : "tiny" }';
    const { start, end } = peek({ text }).modelSpan!;
    expect(text.slice(start, end)).toBe('"tiny"');
    const upload = form('\0\r\n--');
    const span = peek({ text: upload, type: 'multipart/form-data; boundary=b' }).modelSpan!;
    expect(upload.slice(span.start, span.end)).toBe('whisper');
  });

  test('finds the model in a multipart form after a binary file', () => {
    const facts = peek({
      text: form('\0\xff{"model":"no"}'.repeat(10_000)),
      type: 'multipart/form-data; boundary=b',
    });
    expect(facts).toMatchObject({ kind: 'multipart', model: 'whisper', stream: true, object: undefined });
  });

  test('finds the model in a urlencoded form', () => {
    const type = 'application/x-www-form-urlencoded; charset=utf-8';
    expect(peek({ text: 'a=b&model=org%2Ftiny+1&stream=false', type })).toMatchObject({
      kind: 'urlencoded',
      model: 'org/tiny 1',
      stream: false,
    });
  });

  test('takes the model of the query when the body has none', () => {
    expect(peek({ text: '', query: '?model=q' })).toMatchObject({ kind: 'none', model: 'q' });
    expect(peek({ text: '{}', query: new URLSearchParams('model=q') })).toMatchObject({
      kind: 'json',
      model: 'q',
    });
    expect(peek({ text: '{"model":"b"}', query: 'model=q' }).model).toBe('b');
    expect(peek({ text: '', query: 'model=' }).model).toBeUndefined();
  });

  test.each([
    ['{"model":"a"', 'application/json'],
    ['[1]', 'application/json'],
    ['RIFF\0', 'audio/wav'],
    ['--b\r\n', 'multipart/form-data; boundary=b'],
    ['model=a', 'text/plain'],
    [`model=a&b=${'c'.repeat(70_000)}`, 'application/x-www-form-urlencoded'],
  ])('says %.20j as %s is unreadable', (text, type) => {
    expect(peek({ text, type })).toEqual({
      kind: 'unreadable',
      model: undefined,
      modelSpan: undefined,
      stream: undefined,
      object: undefined,
      contradiction: undefined,
      hidesModel: true,
    });
  });

  test.each([
    ['{"model":"a"}', 'application/json', false],
    ['{"model":null}', 'application/json', false],
    ['{"model":["a"]}', 'application/json', true],
    ['{"model":"a","x":"&model=b"}', 'application/x-www-form-urlencoded', true],
    ['{"model":"a"}', 'application/x-www-form-urlencoded', false],
    ['model=a&model=b', 'application/x-www-form-urlencoded', true],
    ['{"model":"a"}', 'multipart/form-data; boundary=b', true],
    [form(''), 'multipart/form-data; boundary=b', false],
  ])('knows whether %.30j as %s may name another model: %s', (text, type, hidesModel) => {
    expect(peek({ text, type }).hidesModel).toBe(hidesModel);
  });

  test('never throws', () => {
    const types = [
      'application/json',
      'multipart/form-data; boundary=b',
      'application/x-www-form-urlencoded',
      '',
    ];
    const pieces = [
      '--b',
      '\r\n',
      '\r\n\r\n',
      '{"model":',
      '"',
      '}',
      'Content-Disposition: form-data; name=model',
      '%',
      '&',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary' }))),
        (type, parts) => {
          expect(peek({ text: parts.join(''), type }).kind).toBeTypeOf('string');
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
