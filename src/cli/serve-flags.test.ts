import { describe, expect, test } from 'vitest';
import { isServeFlag, parseServeFlags } from './serve-flags.ts';

const none = {
  help: false,
  version: false,
  config: undefined,
  configDir: undefined,
  listen: undefined,
  watch: false,
  tls: undefined,
};

describe('parseServeFlags', () => {
  test.each([
    [[], {}],
    [['--config', 'a.yaml', '--watch'], { config: 'a.yaml', watch: true }],
    [['-c', 'a.yaml', '-l', ':1', '-l', ':2'], { config: 'a.yaml', listen: [':1', ':2'] }],
    [
      ['-config', 'a.yaml', '-listen', ':8080', '-watch-config'],
      { config: 'a.yaml', listen: [':8080'], watch: true },
    ],
    [['-config=a.yaml', '-config-dir=d'], { config: 'a.yaml', configDir: 'd' }],
    [['-watch-config=true'], { watch: true }],
    [['-watch-config=0', '-watch-config=false'], {}],
    [['-tls-cert-file', 'c', '-tls-key-file', 'k'], { tls: { cert: 'c', key: 'k' } }],
    [['-version'], { version: true }],
    [['-h'], { help: true }],
  ])('reads %j', (args, expected) => {
    expect(parseServeFlags(args)).toEqual({ ...none, ...expected });
  });

  test.each([
    [['-unknown'], /-u/],
    [['extra'], /extra/],
    [['-config'], /config/],
    [['-config', '-listen'], /config/],
    [['-watch-config=maybe'], /watch-config/],
    [['-tls-cert-file', 'c'], /need each other/],
  ])('refuses %j', (args, message) => {
    expect(() => parseServeFlags(args)).toThrow(message);
  });
});

test.each([
  ['-config', true],
  ['--config-dir=x', true],
  ['-watch-config', true],
  ['serve', false],
  ['-x', false],
  ['--nope', false],
])('isServeFlag of %j is %j', (arg, expected) => {
  expect(isServeFlag(arg)).toBe(expected);
});
