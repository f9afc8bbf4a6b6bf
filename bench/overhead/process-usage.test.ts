import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { parseStat, readUsage } from './process-usage.ts';

test('parseStat is not confused by brackets and blanks in a name', () => {
  const rest = [
    'S',
    41,
    ...Array.from({ length: 9 }, () => 0),
    7,
    5,
    ...Array.from({ length: 8 }, () => 1),
    300,
  ];
  expect(parseStat(`42 (a ) (b c) ${rest.join(' ')} 9 9`)).toEqual({ parent: 41, ticks: 12, rssPages: 300 });
});

test('readUsage counts the children of a process too', async () => {
  const child = spawn('sh', ['-c', 'sleep 60 & echo started; wait'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  await once(child.stdout, 'data');
  const pid = child.pid ?? 0;
  try {
    const own = readUsage(pid).rssBytes;
    expect(own).toBeGreaterThan(500_000);
    expect(readUsage(process.pid).rssBytes).toBeGreaterThan(own);
  } finally {
    process.kill(-pid, 'SIGKILL');
    await once(child, 'exit');
  }
  expect(() => readUsage(pid)).toThrow('is gone');
});
