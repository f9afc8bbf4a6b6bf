import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { eventually, isAlive, isLinux, server, startable } from '../../test/processes/harness.ts';
import { systemClock } from '../base/clock.ts';
import { createDeadline } from './deadline.ts';
import type { Family } from './family.ts';
import { createFamily } from './family.ts';
import { parseProcStat, readProcTable, tryReadProcEntry } from './proc-table.ts';
import { createProcess } from './process.ts';
import { terminateFamily } from './terminate.ts';

test('parseProcStat reads past brackets and spaces in a program’s name', () => {
  const fields = '4194304 100 0 0 0 0 0 0 0 20 0 1 0 99144 3133440 390';
  expect(parseProcStat(`42 (a) b (c) S 7 8 9 0 -1 ${fields}`)).toEqual({
    pid: 42,
    parent: 7,
    group: 8,
    session: 9,
    startTicks: 99_144,
  });
  expect(parseProcStat(`42 (gone) Z 7 8 9 0 -1 ${fields}`)).toBeUndefined();
  expect(parseProcStat('')).toBeUndefined();
});

test('the process table holds this process, with the identity it has alone', async (context) => {
  context.skip(!isLinux, 'there is no /proc');
  const own = (await readProcTable()).find(({ pid }) => pid === process.pid);
  expect(own).toEqual(tryReadProcEntry(process.pid));
  expect(own?.parent).toBe(process.ppid);
});

/** Platforms without /proc see the process group; POSIX signals are the same everywhere. */
test('a family known by its process group alone is seen, asked and ended', async () => {
  const child = spawn('sh', ['-c', 'sleep 300 & echo started; wait'], { detached: true });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await once(child.stdout, 'data');
  const { pid = 0 } = child;
  const closed = once(child, 'close');
  const family = createFamily({ pid, mark: 'none', platform: 'darwin' });
  expect(await family.members()).toEqual([pid]);
  family.signal([pid], 'SIGTERM');
  // Both hold the pipes: it closes when both have gone.
  await closed;
  await eventually(async () => (await family.members()).length === 0);
});

test('terminateFamily asks newcomers once, kills at the deadline, and reports who survives that', async () => {
  const signals: string[] = [];
  let alive = [7];
  const family: Family = {
    members: () => Promise.resolve(alive),
    signal(pids, signal) {
      signals.push(`${signal} ${pids.join(' ')}`);
      if (signals.length === 1) alive = [7, 8];
    },
  };
  const killAt = createDeadline(systemClock);
  killAt.tighten(systemClock.nowMs() + 100);
  const stuck = Promise.withResolvers<void>();
  const ended = terminateFamily({ family, killAt, stuckMs: 100, onStuck: stuck.resolve });
  await stuck.promise;
  expect(signals.slice(0, 3)).toEqual(['SIGTERM 7', 'SIGTERM 8', 'SIGKILL 7 8']);
  alive = [];
  await ended;
});

test('a deadline can only come nearer', async () => {
  const deadline = createDeadline(systemClock);
  deadline.tighten(systemClock.nowMs() + 60_000);
  deadline.tighten(systemClock.nowMs() + 30);
  deadline.tighten(systemClock.nowMs() + 60_000);
  expect(deadline.isReached).toBe(false);
  await deadline.reached;
  expect(deadline.isReached).toBe(true);
});

/** Without `taskkill` a child cannot be ended by the Windows way: a real process that survives everything we do. */
test(
  'a process that cannot be killed lets stop return, is never doubled, and recovers',
  { timeout: 40_000 },
  async () => {
    const { process: template } = await startable({ cmd: server(), readyTimeoutMs: 3000, stopTimeoutMs: 0 });
    const ledger = { expected: () => undefined, started: () => undefined, ended: () => undefined };
    const model = createProcess(
      { ...template.spec, cmd: template.spec.cmd.replaceAll("'", '"') },
      { clock: systemClock, env: process.env, ledger, platform: 'win32' },
    );
    onTestFinished(() => {
      const { state } = model;
      if ('pid' in state && state.pid !== undefined) process.kill(state.pid, 'SIGKILL');
    });
    const ready = await model.ensureReady();
    if (ready.type !== 'ready') throw new Error(JSON.stringify(ready));
    await model.stop('evict');
    expect(model.state.name).toBe('stopping');
    expect(isAlive(ready.pid)).toBe(true);
    expect(await model.ensureReady()).toMatchObject({
      type: 'failed',
      code: 'process_ready_timeout',
      message: `Process 'm' cannot be started: its last run (pid ${ready.pid}) has still not ended`,
    });
    process.kill(ready.pid, 'SIGKILL');
    await eventually(() => model.state.name === 'stopped');
    expect(await model.ensureReady()).toMatchObject({ type: 'ready', generation: 2 });
    if (model.state.name === 'ready') process.kill(model.state.pid, 'SIGKILL');
    await eventually(() => model.state.name === 'failed');
  },
);
