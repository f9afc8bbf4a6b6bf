import { describe, expect, test } from 'vitest';

import { readableLines } from './readable-log.ts';

const read = readableLines({ colorize: false, timeText: () => '12:00' });
const readRecord = (more: object): string =>
  read(`${JSON.stringify({ level: 'info', time: '12:00', ...more })}\n`) ?? '';

describe('a readable line', () => {
  test('tells the time, the message and the fields', () => {
    expect(readRecord({ msg: 'request', model: 'qwen “3” 模型' })).toBe(
      '[12:00] INFO: request {"model":"qwen “3” 模型"}\n',
    );
  });

  test.each([
    ['another line', 'x\n[12:00] INFO: forged', String.raw`x\u000a[12:00] INFO: forged`],
    ['a command for the terminal', '\u001b[2J', String.raw`\u001b[2J`],
    ['a command of one byte', '\u009b2J', String.raw`\u009b2J`],
    ['another direction', '\u202egnp.exe', String.raw`\u202egnp.exe`],
    ['a separator of lines', 'a\u2028b', String.raw`a\u2028b`],
  ])('shows %s in a message as text', (_, name, shown) => {
    expect(readRecord({ msg: `Model '${name}'` })).toBe(`[12:00] INFO: Model '${shown}'\n`);
  });

  test('shows them in fields as text', () => {
    const name = 'a\n\u001b\u009b\u202e\u2028b';
    const text = readRecord({ msg: 'request', model: name, [name]: 1, err: { message: name } });
    // eslint-disable-next-line no-control-regex
    expect(text.trimEnd()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2028]/);
    expect(text.split('\n')[0]).toContain('"model":"a');
  });
});
