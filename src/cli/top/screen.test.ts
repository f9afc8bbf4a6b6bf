import { setImmediate as soon } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createFakeTerminal } from '../../../test/top/fake-terminal.ts';
import { openScreen } from './screen.ts';

const escape = '\u001b';
const entered = `${escape}[?1049h${escape}[?25l${escape}[?7l${escape}[2J`;
const left = `${escape}[0m${escape}[?7h${escape}[?25h${escape}[?1049l`;

async function open() {
  const terminal = createFakeTerminal(40, 10);
  const heard: string[] = [];
  const screen = openScreen(terminal.io, {
    onKeys: (text) => heard.push(text),
    onResize: () => heard.push('resize'),
    onGone: () => heard.push('gone'),
  });
  await soon();
  return { terminal, heard, screen };
}

test('a screen takes the terminal and gives it back as it was, once', async () => {
  const { terminal, screen } = await open();
  expect([terminal.written(), terminal.isRaw(), terminal.exitListeners.size]).toEqual([entered, true, 1]);
  screen.close();
  screen.close();
  screen.draw(['too late']);
  await soon();
  expect([terminal.written(), terminal.isRaw(), terminal.exitListeners.size]).toEqual([
    entered + left,
    false,
    0,
  ]);
});

test('a screen gives the terminal back when the program ends under it', async () => {
  const { terminal } = await open();
  for (const listener of terminal.exitListeners) listener();
  await soon();
  expect([terminal.written(), terminal.isRaw()]).toEqual([entered + left, false]);
});

test('a screen writes only lines that have changed, and all of them after a resize', async () => {
  const { terminal, screen, heard } = await open();
  const drawn = async (...lines: string[]) => {
    const before = terminal.written().length;
    screen.draw(lines);
    await soon();
    return terminal.written().slice(before);
  };
  const line = (row: number, text: string) => `${escape}[${row};1H${text}${escape}[K`;
  expect(await drawn('one', 'two')).toBe(line(1, 'one') + line(2, 'two'));
  expect(await drawn('one', 'TWO')).toBe(line(2, 'TWO'));
  expect(await drawn('one', 'TWO')).toBe('');
  terminal.resize(20, 5);
  await soon();
  expect([heard, screen.size()]).toEqual([['resize'], { columns: 20, rows: 5 }]);
  expect(await drawn('one', 'TWO')).toBe(line(1, 'one') + line(2, 'TWO'));
  screen.close();
});

test('a screen hands keys on until it is closed, and tells when the terminal is gone', async () => {
  const { terminal, screen, heard } = await open();
  terminal.press('j');
  await soon();
  terminal.leave();
  await soon();
  await soon();
  expect(heard).toEqual(['j', 'gone']);
  screen.close();
});
