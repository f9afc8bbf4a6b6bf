import { expect, test } from 'vitest';
import { challenge, tryErrorPage } from './error-page.ts';
import { LlameroError } from './errors.ts';

const error = new LlameroError('not_found', 'No route <b>"x" & y</b>');

test.each([
  ['text/plain', 'text/plain; charset=utf-8', 'llamero: No route <b>"x" & y</b>\n'],
  [
    'text/html,application/xhtml+xml,*/*;q=0.8',
    'text/html; charset=utf-8',
    '<!doctype html><meta charset="utf-8"><title>404</title><p>llamero: No route &lt;b&gt;&quot;x&quot; &amp; y&lt;/b&gt;</p>\n',
  ],
])('UTL-6: a caller that accepts %s gets it', (accept, contentType, body) => {
  expect(tryErrorPage(error, accept)).toEqual({ contentType, body });
});

test.each([undefined, '*/*', 'application/json', ''])(
  'UTL-6: a caller that accepts %j gets JSON',
  (accept) => {
    expect(tryErrorPage(error, accept)).toBeUndefined();
  },
);

test('a browser is asked for its user, a program for its key', () => {
  expect(challenge('text/html')).toMatch(/^Basic realm=/);
  expect(challenge('application/json')).toBe('Bearer');
});
