import { describe, expect, test } from 'vitest';
import { parseTopFlags } from './top-flags.ts';

describe('parseTopFlags', () => {
  test('has a default for everything', () => {
    expect(parseTopFlags([])).toEqual({
      help: false,
      url: undefined,
      config: undefined,
      configDir: undefined,
      keyEnv: undefined,
      once: false,
      intervalMs: 1000,
    });
  });

  test.each([
    ['http://127.0.0.1:8700', 'http://127.0.0.1:8700/'],
    ['https://llm.example/router', 'https://llm.example/router/'],
    ['http://[::1]:8700/?a=b#c', 'http://[::1]:8700/'],
  ])('takes the URL %s as %s', (text, href) => {
    expect(parseTopFlags(['--url', text]).url?.href).toBe(href);
  });

  test.each([
    [['--url', '127.0.0.1:8700'], '--url must be like http://127.0.0.1:8700'],
    [['--url', 'file:///etc/passwd'], '--url must be like http://127.0.0.1:8700'],
    [['--url', 'http://me:secret@127.0.0.1'], 'takes no credentials'],
    [['--url', 'http://127.0.0.1', '--config', 'a.yaml'], 'takes no --config'],
    [['--interval', 'often'], '--interval must be a duration'],
    [['--interval', '99ms'], 'from 100ms to 1h'],
    [['--interval', '2h'], 'from 100ms to 1h'],
    [['--key', 'sk-1'], '--key'],
    [['extra'], 'extra'],
  ])('refuses %j', (args, message) => {
    expect(() => parseTopFlags(args)).toThrow(message);
  });
});
