import { describe, expect, test } from 'vitest';
import { renameModel } from './model-rename.ts';
import { peekBody } from './peek.ts';

function rename(to: string, source: { url?: string; body?: string; contentType?: string }) {
  const url = source.url ?? '/v1/x';
  const body = Buffer.from(source.body ?? '', 'latin1');
  const query = url.includes('?') ? url.slice(url.indexOf('?') + 1) : '';
  const peeked = peekBody({ body, contentType: source.contentType, query });
  const renamed = renameModel({ url, body, peeked }, to);
  return { url: renamed.url, body: renamed.body.toString('latin1'), same: renamed.body === body };
}

const json = 'application/json';
const form = 'application/x-www-form-urlencoded';

describe('UTL-2 the model is replaced', () => {
  test.each([
    ['in JSON', json, '{ "a": 12345678901234567890, "model" : "m" }'],
    ['in JSON of an unknown type', 'text/x-who-knows', '{ "a": 12345678901234567890, "model" : "m" }'],
    ['in JSON without a type', undefined, '{ "a": 12345678901234567890, "model" : "m" }'],
  ])('%s, and nothing else changes', (_name, contentType, body) => {
    expect(rename('org/new', { body, ...(contentType !== undefined && { contentType }) }).body).toBe(
      '{ "a": 12345678901234567890, "model" : "org/new" }',
    );
  });

  test('in every member of that name, so that no engine reads another', () => {
    expect(rename('n', { body: '{"model":"a","model":"b"}' }).body).toBe('{"model":"n","model":"n"}');
  });

  test('in a form, whose other fields keep their escapes', () => {
    const body = 'prompt=a+b%20c&model=old%2Fone&stream=true';
    expect(rename('org/new one', { body, contentType: form }).body).toBe(
      'prompt=a+b%20c&model=org%2Fnew%20one&stream=true',
    );
  });

  test('in the query of a request without a body, and the path keeps its escapes', () => {
    expect(rename('n', { url: '/v1/audio%2Fvoices?x=%41&model=m&y=+' }).url).toBe(
      '/v1/audio%2Fvoices?x=%41&model=n&y=+',
    );
  });

  test('in the query when the body does not name it', () => {
    const { url, body } = rename('n', { url: '/x?model=m', body: '{"a":1}', contentType: json });
    expect([url, body]).toEqual(['/x?model=n', '{"a":1}']);
    const ofForm = rename('n', { url: '/x?model=m', body: 'a=1', contentType: form });
    expect([ofForm.url, ofForm.body]).toEqual(['/x?model=n', 'a=1']);
    const unreadable = rename('n', { url: '/x?model=m', body: '\x00\xff', contentType: 'image/png' });
    expect([unreadable.url, unreadable.body]).toEqual(['/x?model=n', '\x00\xff']);
  });

  test('in multipart, where files, their names and other fields stay', () => {
    const of = (model: string) =>
      [
        '--b',
        'Content-Disposition: form-data; name="file"; filename="model.wav"',
        'Content-Type: audio/wav',
        '',
        '\x00\xff\r\n--bytes\r\nmodel',
        '--b',
        'Content-Disposition: form-data; name="model"',
        '',
        model,
        '--b',
        'Content-Disposition: form-data; name="language"',
        '',
        'en',
        '--b--',
        '',
      ].join('\r\n');
    const contentType = 'multipart/form-data; boundary=b';
    expect(rename('whisper-large-v3', { body: of('w'), contentType }).body).toBe(of('whisper-large-v3'));
  });
});

test('a request that has the name already stays the same buffer', () => {
  expect(rename('m', { body: '{"model":"m"}' }).same).toBe(true);
  expect(rename('m', { url: '/x?model=m' }).url).toBe('/x?model=m');
});

test('a JSON body that names no model anywhere gets one', () => {
  expect(rename('m', { body: '{"a":1}' }).body).toBe('{"a":1,"model":"m"}');
});
