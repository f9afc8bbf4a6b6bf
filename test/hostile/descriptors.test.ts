/** A router that has no file descriptors left: it goes on with the connections that it has, and blames no engine. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startFakeEngine } from '../fake-engine/start.ts';
import { chat } from '../integration/client.ts';
import { connectRaw } from '../integration/raw-client.ts';
import { configText, startProgram } from '../integration/start-program.ts';
import { until } from '../integration/start-router.ts';

const prlimit = '/usr/bin/prlimit';

test('a router without descriptors holds no engine dead, and serves again when it has some', async (context) => {
  context.skip(!existsSync(prlimit), 'this system has no prlimit');
  const engine = await startFakeEngine();
  context.onTestFinished(() => engine.close());
  const config = configText({ backends: { one: { url: engine.url } }, log: { format: 'json' } });
  await using router = await startProgram(['serve'], { 'llamero.yaml': config });
  const url = await router.url();
  await until(async () => (await chat(url).answer).status === 200);
  using open = await connectRaw(url);
  const status = async (): Promise<string> => {
    const before = open.text().length;
    open.socket.write('GET /api/status HTTP/1.1\r\nHost: router\r\n\r\n');
    await until(() => open.text().slice(before).includes('\r\n\r\n{'));
    return open.text().slice(before);
  };
  await status();
  const setLimit = (files: number) =>
    execFileSync(prlimit, ['--pid', String(router.pid), `--nofile=${files}:`]);
  // Those that are open stay so.
  setLimit(3);
  await until(async () => (await status()).includes('EMFILE'));
  for (let looks = 0; looks < 5; looks += 1) expect(await status()).not.toContain('"state":"dead"');
  setLimit(1024);
  expect((await chat(url).answer).status).toBe(200);
  const log = await router.log();
  expect(log.filter(({ msg }) => msg === 'Backend is dead')).toEqual([]);
});
