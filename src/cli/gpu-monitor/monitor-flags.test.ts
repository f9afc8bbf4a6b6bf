import { describe, expect, test } from 'vitest';
import { parseMonitorFlags } from './monitor-flags.ts';

const none = {
  help: false,
  listen: { host: '127.0.0.1', port: 8701 },
  intervalMs: 1000,
  keyEnv: undefined,
  diskFolder: '.',
};

describe('the flags of gpu-monitor', () => {
  test.each([
    [[], {}],
    [['-h'], { help: true }],
    [['-l', '[::1]:9', '-i', '500ms'], { listen: { host: '::1', port: 9 }, intervalMs: 500 }],
    [
      ['--listen', '0.0.0.0:8701', '--key-env', 'K'],
      { listen: { host: '0.0.0.0', port: 8701 }, keyEnv: 'K' },
    ],
    [['--listen', ':8701', '--allow-unauthenticated'], { listen: { host: '', port: 8701 } }],
    [['--disk', '/models'], { diskFolder: '/models' }],
  ])('%j are read', (args, expected) => {
    expect(parseMonitorFlags(args)).toEqual({ ...none, ...expected });
  });

  test.each([
    [['--listen', ':8701'], /other machines could use this address without a key/],
    [['--listen', '10.0.0.1:8701'], /--allow-unauthenticated/],
    [['--listen', '87010'], /HOST:PORT/],
    [['--interval', '10ms'], /200ms to 5s/],
    [['--interval', '6s'], /200ms to 5s/],
    [['--interval', 'soon'], /--interval must be/],
    [['--nope'], /nope/],
    [['extra'], /extra/],
  ])('%j are refused', (args, message) => {
    expect(() => parseMonitorFlags(args)).toThrow(message);
  });
});
