/** A log that cannot be written costs lines of the log, and nothing else. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { freePorts } from '../integration/free-ports.ts';
import { until } from '../integration/start-router.ts';

const main = resolve(import.meta.dirname, '../../src/main.ts');
const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0)) end();
});

/** The program with this stderr; its address is known before, for it cannot say it. */
async function startWith(stderr: number | 'pipe') {
  const port = await freePorts(1);
  const folder = mkdtempSync(join(tmpdir(), 'llamero-log-target-'));
  // It serves nothing, which is worth a warning before there is a log.
  writeFileSync(
    join(folder, 'llamero.yaml'),
    `listen: 127.0.0.1:${port}
`,
  );
  const child = spawn(process.execPath, [main, 'serve'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', stderr],
  });
  const closed = once(child, 'exit');
  endings.push(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${port}`;
  const answers = async (): Promise<boolean> =>
    fetch(`${url}/health`).then(
      ({ status }) => status === 200,
      () => false,
    );
  return { child, closed, answers };
}

test('a full disk under the log stops no request, and not the end', async (context) => {
  context.skip(!existsSync('/dev/full'), 'this system has no /dev/full');
  const fd = openSync('/dev/full', 'w');
  endings.push(() => closeSync(fd));
  const { child, closed, answers } = await startWith(fd);
  await until(answers);
  for (let index = 0; index < 20; index += 1) expect(await answers()).toBe(true);
  child.kill('SIGTERM');
  expect(await closed).toEqual([0, null]);
});

test('a reader of the log that has gone stops no request, and not the end', async () => {
  const { child, closed, answers } = await startWith('pipe');
  child.stderr?.destroy();
  await until(answers);
  for (let index = 0; index < 20; index += 1) expect(await answers()).toBe(true);
  child.kill('SIGTERM');
  expect(await closed).toEqual([0, null]);
});
