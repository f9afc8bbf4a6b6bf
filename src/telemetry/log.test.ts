import { describe, expect, test } from 'vitest';
import { createLog } from './log.ts';

const settings = { level: 'info', format: 'json', requests: true } as const;

function capture() {
  const lines: string[] = [];
  return { lines, destination: { write: (line: string) => void lines.push(line) } };
}

describe('log', () => {
  test('keeps keys out, at every depth at which they are logged', () => {
    const { lines, destination } = capture();
    const { logger: log } = createLog({ config: settings, terminal: false, destination });
    log.info({ authorization: 'Bearer hush', apiKey: 'hush' }, 'flat');
    log.info({
      headers: { authorization: 'Bearer hush', 'x-api-key': 'hush', 'api-key': 'hush', cookie: 'hush' },
    });
    log.info({ config: { apiKeys: ['hush'], backends: { a: { apiKey: 'hush', url: 'http://a' } } } });
    expect(lines).toHaveLength(3);
    expect(lines.join('')).not.toContain('hush');
    expect(lines.join('')).toContain('http://a');
  });

  test('keeps out what people write, in the body of any API', () => {
    const { lines, destination } = capture();
    const { logger: log } = createLog({ config: settings, terminal: false, destination });
    const message = { role: 'user', content: 'hush' };
    log.error({ messages: [message] }, 'flat');
    log.error({ request: { model: 'qwen', messages: [message], system: 'hush' } });
    log.error({ request: { prompt: 'hush', input: ['hush'], instructions: 'hush' } });
    log.error({ err: { message: 'bad', body: 'hush', choice: { message } } });
    expect(lines).toHaveLength(4);
    expect(lines.join('')).not.toContain('hush');
    expect(lines.join('')).toContain('qwen');
  });

  test('changes its level at run time', () => {
    const { lines, destination } = capture();
    const log = createLog({ config: { ...settings, level: 'error' }, terminal: false, destination });
    const members = () => ({ requestId: 'r1', msg: 'request' });
    log.writeLine('info', members);
    log.logger.info('one');
    log.logger.level = 'info';
    log.writeLine('info', members);
    log.logger.info('two');
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['request', 'two']);
  });

  test('writes lines of its own making as the others', () => {
    const { lines, destination } = capture();
    const log = createLog({ config: settings, terminal: false, timeFormat: () => 'Kitchen', destination });
    const members = { model: 'a "b"\n', tokens: 3, left: undefined };
    log.writeLine('warn', () => ({ ...members, msg: 'request' }));
    log.logger.warn(members, 'request');
    expect(lines[0]).toBe(lines[1]);
  });

  test('is readable on a terminal and JSON elsewhere when the format is auto', () => {
    const onTerminal = capture();
    const elsewhere = capture();
    const config = { ...settings, format: 'auto' } as const;
    createLog({ config, terminal: true, destination: onTerminal.destination }).logger.info(
      { backend: 'gpu-1' },
      'Ready',
    );
    createLog({ config, terminal: false, destination: elsewhere.destination }).logger.info(
      { backend: 'gpu-1' },
      'Ready',
    );
    expect(onTerminal.lines.join('')).toContain('Ready');
    expect(() => JSON.parse(onTerminal.lines[0] ?? '')).toThrow(SyntaxError);
    expect(JSON.parse(elsewhere.lines[0] ?? '')).toMatchObject({ backend: 'gpu-1', msg: 'Ready' });
  });
});

describe('LOG-1: the time of a line', () => {
  test('has the form that is asked for now, in JSON and in readable lines', () => {
    let format = 'rfc3339';
    const timeFormat = (): string => format;
    const json = capture();
    const readable = capture();
    const logs = [
      createLog({ config: settings, terminal: false, timeFormat, destination: json.destination }),
      createLog({
        config: { ...settings, format: 'pretty' },
        terminal: false,
        timeFormat,
        destination: readable.destination,
      }),
    ];
    for (const { logger } of logs) logger.info('one');
    format = 'Kitchen';
    for (const { logger } of logs) logger.info('two');
    format = 'no such form';
    for (const { logger } of logs) logger.info('three');
    const times = json.lines.map((line) => (JSON.parse(line) as { time: string }).time);
    expect(times).toEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)$/),
      expect.stringMatching(/^\d{1,2}:\d\d[AP]M$/),
      expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    ]);
    expect(readable.lines).toEqual([
      expect.stringMatching(/^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*\] INFO: one\n$/),
      expect.stringMatching(/^\[\d{1,2}:\d\d[AP]M\] INFO: two\n$/),
      expect.stringMatching(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: three\n$/),
    ]);
  });
});
