import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { nomyoFingerprint } from './nomyo-fingerprint.ts';
import { peekBody } from './peek.ts';

function fingerprint(body: object | string, model = 'm'): string | undefined {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return nomyoFingerprint(peekBody({ body: bytes, contentType: undefined, query: '' }), bytes, model);
}

/** The recipe, spelled out. */
function sha1(...parts: string[]): string {
  return createHash('sha1').update(parts.join('\x1f'), 'utf8').digest('hex');
}

const system = { role: 'system', content: 'Be brief' };
const user = { role: 'user', content: 'Grüße "you"\n' };

describe('the fingerprint of nomyo-router', () => {
  test.each<[string, object | string, string]>([
    [
      'system texts and the first turn',
      { messages: [system, user] },
      sha1('m', 'system:Be brief', 'user:Grüße "you"\n'),
    ],
    [
      'nothing after the first turn',
      { messages: [system, user, { role: 'assistant', content: 'x' }, { role: 'user', content: 'y' }] },
      sha1('m', 'system:Be brief', 'user:Grüße "you"\n'),
    ],
    [
      'all system texts before it, whoever speaks between',
      {
        messages: [
          system,
          { role: 'assistant', content: 'x' },
          { role: 'developer', content: 'z' },
          system,
          user,
        ],
      },
      sha1('m', 'system:Be brief', 'system:Be brief', 'user:Grüße "you"\n'),
    ],
    [
      'texts of parts, joined, and nothing else of them',
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'a' },
              { type: 'image_url', image_url: { url: 'data:x' } },
              { type: 'text', text: 'b' },
            ],
          },
        ],
      },
      sha1('m', 'user:ab'),
    ],
    ['the model alone where nobody speaks', { messages: [] }, sha1('m')],
    [
      'an empty text for content that is none',
      { messages: [{ role: 'user', content: null }] },
      sha1('m', 'user:'),
    ],
    ['a prompt as a turn of the user', { prompt: 'tell me' }, sha1('m', 'user:tell me')],
    ['a question mark for half a surrogate', '{"prompt":"a\\ud800b"}', sha1('m', 'user:a?b')],
  ])('takes %s', (_what, body, expected) => {
    expect(fingerprint(body)).toBe(expected);
  });

  test('begins with an underscore without a model', () => {
    expect(fingerprint({ messages: [user] }, '')).toBe(sha1('_', 'user:Grüße "you"\n'));
  });

  test.each([[{ input: 'text' }], [{ prompt: [1, 2] }], ['no json']])('is none for %j', (body) => {
    expect(fingerprint(body)).toBeUndefined();
  });
});
