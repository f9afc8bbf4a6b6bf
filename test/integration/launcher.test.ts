/** The program under `npm run`, which puts a shell between itself and the program. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { until } from './start-router.ts';

const main = resolve(import.meta.dirname, '../../src/main.ts');

test('llamero under npm ends when npm is ended, as the shell between does not pass signals on', async () => {
  const shell = spawn(
    'sh',
    ['-c', `"$0" "$1" demo --no-traffic --listen 127.0.0.1:0; exit $?`, process.execPath, main],
    {
      env: { ...process.env, npm_lifecycle_event: 'demo' },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  shell.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  shell.stdout.resume();
  // Its pipes stay open as long as the program holds them, however long the shell is gone.
  const closed = once(shell, 'close');
  try {
    await until(() => output.includes('listening on'));
    shell.kill('SIGTERM');
    await until(() => output.includes('draining'));
    await closed;
    expect(shell.signalCode).toBe('SIGTERM');
  } finally {
    endGroup(shell.pid);
  }
});

/** Ends what a failed test would leave behind; the group of a test that passed is gone already. */
function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
