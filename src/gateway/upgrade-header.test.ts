import { expect, test } from 'vitest';
import { namesWebSocket } from './upgrade-header.ts';

test.each([
  ['websocket', true],
  ['WebSocket', true],
  ['h2c, WEBSOCKET', true],
  ['websocket,other', true],
  ['h2c', false],
  ['websockets', false],
  ['', false],
  [undefined, false],
])('UTL-4: %j asks for a WebSocket: %s', (header, expected) => {
  expect(namesWebSocket(header)).toBe(expected);
});
