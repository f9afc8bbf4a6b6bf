import { describe, expect, test } from 'vitest';
import { createLineJoiner, readLogLine } from './log-lines.ts';

const time = '2026-05-04T09:00:01.250Z';
const clock = new Date(time).toTimeString().slice(0, 8);

describe('readLogLine', () => {
  test('makes a record of the router readable', () => {
    const record = { level: 'warn', time, backend: 'rack', failures: 3, msg: 'Backend is dead' };
    expect(readLogLine(JSON.stringify(record), 'proxy')).toEqual({
      source: 'proxy',
      text: `${clock} warn  Backend is dead backend=rack failures=3`,
      style: 'warn',
    });
  });

  test.each([
    ['of a model', '{"level":"info","msg":"x"}', 'upstream'],
    ['that is no JSON', '{"level":"info","msg":', 'proxy'],
    ['that is no record', '{"a":1}', 'proxy'],
    ['of words', 'llama_model_loader: loaded', 'proxy'],
  ] as const)('leaves a line %s as it is', (_what, line, source) => {
    expect(readLogLine(line, source)).toEqual({ source, text: line, style: undefined });
  });

  test('lets no control character through, not even from inside a record', () => {
    const record = JSON.stringify({ level: 'error', time, msg: 'a\u001b[2Jb', path: '\u001b]0;x\u0007/v1' });
    expect(readLogLine(record, 'proxy')).toMatchObject({ text: `${clock} error ab path=/v1`, style: 'bad' });
    expect(readLogLine('\u001b[31mred', 'upstream').text).toBe('red');
  });
});

describe('createLineJoiner', () => {
  test('joins what came in pieces and keeps what has no end yet', () => {
    const join = createLineJoiner('upstream');
    expect(join('one\ntw').map(({ text }) => text)).toEqual(['one']);
    expect(join('o\n\n\r\nthree\nfo').map(({ text }) => text)).toEqual(['two', 'three']);
    expect(join('ur\n').map(({ text }) => text)).toEqual(['four']);
  });

  test('does not grow with a line that never ends', () => {
    const join = createLineJoiner('upstream');
    for (let index = 0; index < 100; index += 1) expect(join('x'.repeat(10_000))).toEqual([]);
    const [line] = join('\n');
    expect(line?.text).toHaveLength(4096);
  });
});
