import { expect, test } from 'vitest';
import { allowedHeaders } from './cors.ts';

test.each([
  [undefined, 'Content-Type, Authorization, Accept, X-Requested-With'],
  ['', 'Content-Type, Authorization, Accept, X-Requested-With'],
  ['x-one', 'x-one'],
  [' X-One ,x-two,', 'X-One, x-two'],
  ['bad name, x:y, "q", x-ok', 'x-ok'],
  ['a\r\nb', 'Content-Type, Authorization, Accept, X-Requested-With'],
  ["!#$%&'*+-.^_`|~09azAZ", "!#$%&'*+-.^_`|~09azAZ"],
  ['(x), <y>, x@y, x/y, é', 'Content-Type, Authorization, Accept, X-Requested-With'],
])('UTL-7: requested headers %j are allowed as %j', (requested, allowed) => {
  expect(allowedHeaders(requested)).toBe(allowed);
});
