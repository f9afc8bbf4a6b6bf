import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  eventually,
  isAlive,
  isLinux,
  printedPid,
  server,
  startable,
  temporaryFolder,
  wrapped,
} from '../../test/processes/harness.ts';
import { readLedger } from './ledger.ts';
import { stopAll } from './process.ts';

/** A stop allowance that no test waits for: whoever gets this far was not ended by it. */
const farMs = 60_000;

async function timed(work: Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work;
  return performance.now() - startedMs;
}

test('a process goes through each state once, and has not failed when it was stopped (PRC-2, PRC-11)', async () => {
  const { process: model, states } = await startable({ cmd: server() });
  await model.ensureReady();
  await model.stop('unload');
  expect(states).toEqual(['starting', 'ready', 'stopping', 'stopped']);
  expect(model.state).toEqual({
    name: 'stopped',
    generation: 1,
    exit: { code: 0, signal: null },
    reason: 'unload',
  });
});

test('stop does nothing before the start and after a stop (PRC-3)', async () => {
  const { process: model, states } = await startable({ cmd: server() });
  await model.stop('unload');
  expect(states).toEqual([]);
  await model.ensureReady();
  await model.stop('unload');
  await model.stop('evict');
  expect(states).toEqual(['starting', 'ready', 'stopping', 'stopped']);
});

test('stop during the readiness check ends the start and its callers at once (PRC-4)', async () => {
  const { process: model, states } = await startable({
    cmd: server('--never-ready'),
    readyTimeoutMs: 600_000,
  });
  const start = model.ensureReady();
  const pid = await printedPid(model, 'server');
  await model.stop('unload');
  expect(await start).toEqual({ type: 'aborted', by: 'stop' });
  expect(isAlive(pid)).toBe(false);
  expect(states).toEqual(['starting', 'stopping', 'stopped']);
});

test('stop in the very moment of the start leaves nothing running', async () => {
  const { process: model, states } = await startable({ cmd: server() });
  const start = model.ensureReady();
  const stop = model.stop('unload');
  expect(model.state.name).toBe('stopping');
  expect(await start).toEqual({ type: 'aborted', by: 'stop' });
  await stop;
  expect(model.state).toMatchObject({ name: 'stopped', exit: undefined });
  expect(states).toEqual(['starting', 'stopping', 'stopped']);
});

test('closing during the readiness check ends it within the stop timeout and for good (PRC-5, PRC-8)', async () => {
  const { process: model } = await startable({
    cmd: server('--never-ready'),
    readyTimeoutMs: 600_000,
  });
  const start = model.ensureReady();
  await printedPid(model, 'server');
  expect(await timed(model.close())).toBeLessThan(3000);
  expect(await start).toEqual({ type: 'aborted', by: 'close' });
  expect(await model.ensureReady()).toEqual({ type: 'aborted', by: 'close' });
  expect(model.state.name).toBe('stopped');
});

test('starts and stops in any order, also at once, never run two children and never hang (PRC-6)', async () => {
  const { process: model, states } = await startable({ cmd: server(), stopTimeoutMs: 2000 });
  const calls: Promise<unknown>[] = [];
  for (let index = 0; index < 6; index += 1) {
    calls.push(model.ensureReady(), model.stop('unload'), model.ensureReady());
    await sleep(index * 40);
    calls.push(model.stop('evict'), model.ensureReady());
  }
  await Promise.all(calls);
  await model.stop('unload');
  expect(model.state.name).toBe('stopped');
  const starts = states.filter((name) => name === 'starting').length;
  expect(starts).toBeGreaterThan(1);
  expect(states.filter((name) => name === 'stopping')).toHaveLength(starts);
  // Each start is over before the next one begins.
  expect(states.join(' ')).toMatch(/^(starting (ready )?stopping stopped ?)+$/);
});

test('a start while it is stopping waits for the end and serves a fresh child (PRC-7)', async () => {
  const { process: model } = await startable({ cmd: server('--sigterm ignore') });
  const first = await model.ensureReady();
  if (first.type !== 'ready') throw new Error(first.type);
  const stop = model.stop('evict', { timeoutMs: 300 });
  const leaving = new AbortController();
  const left = model.ensureReady(leaving.signal);
  const second = model.ensureReady();
  leaving.abort();
  expect(await left).toEqual({ type: 'aborted', by: 'caller' });
  expect(isAlive(first.pid)).toBe(true);
  await stop;
  expect(isAlive(first.pid)).toBe(false);
  expect(await second).toMatchObject({ type: 'ready', generation: 2 });
});

test('a stop after a start that waits for the last stop calls that start off', async () => {
  const { process: model, states } = await startable({ cmd: server('--sigterm 200') });
  await model.ensureReady();
  const stop = model.stop('evict');
  const start = model.ensureReady();
  const secondStop = model.stop('unload');
  expect(await start).toEqual({ type: 'aborted', by: 'stop' });
  await Promise.all([stop, secondStop]);
  expect(states).toEqual(['starting', 'ready', 'stopping', 'stopped']);
});

test('a child that ignores SIGTERM is killed after the timeout, not before', async () => {
  const { process: model } = await startable({ cmd: server('--sigterm ignore') });
  await model.ensureReady();
  const tookMs = await timed(model.stop('unload', { timeoutMs: 500 }));
  expect(tookMs).toBeGreaterThanOrEqual(499);
  expect(tookMs).toBeLessThan(3000);
  expect(model.state).toMatchObject({ exit: { code: null, signal: 'SIGKILL' } });
});

test('a later stop shortens a stop under way, and stop now kills at once', async () => {
  const { process: model } = await startable({ cmd: server('--sigterm ignore') });
  await model.ensureReady();
  const patient = model.stop('unload', { timeoutMs: farMs });
  await eventually(() => model.output.history().includes('got SIGTERM'));
  expect(await timed(model.stop('shutdown', { now: true }))).toBeLessThan(3000);
  await patient;
  expect(model.state).toMatchObject({ name: 'stopped', reason: 'unload', exit: { signal: 'SIGKILL' } });
});

test('a SIGTERM handler that needs its time gets it, and SIGTERM only once (PRC-13)', async () => {
  const { process: model } = await startable({ cmd: server('--sigterm 1000'), stopTimeoutMs: farMs });
  await model.ensureReady();
  expect(await timed(model.stop('unload'))).toBeGreaterThanOrEqual(1000);
  expect(model.state).toMatchObject({ exit: { code: 0, signal: null } });
  const printed = model.output.history().toString();
  expect(printed).toContain('cleaned up');
  expect(printed.match(/got SIGTERM/g)).toHaveLength(1);
});

test('stop returns although a grandchild ignores SIGTERM and holds the pipes (PRC-12)', async () => {
  const { process: model } = await startable({ cmd: wrapped('pipe-holder.sh', server()) });
  await model.ensureReady();
  const holder = await printedPid(model, 'holder');
  expect(await timed(model.stop('unload', { timeoutMs: 300 }))).toBeLessThan(3000);
  expect(model.state).toMatchObject({ exit: { code: 0, signal: null } });
  expect(isAlive(holder)).toBe(false);
});

test('stop ends the server behind a forking wrapper, in order (PRC-14)', async () => {
  const { process: model } = await startable({
    cmd: wrapped('forking-wrapper.sh', server('--sigterm 300')),
    stopTimeoutMs: farMs,
  });
  const ready = await model.ensureReady();
  const pid = await printedPid(model, 'server');
  expect(ready).not.toMatchObject({ pid });
  await model.stop('unload');
  expect(isAlive(pid)).toBe(false);
  const printed = model.output.history().toString();
  expect(printed).toContain('cleaned up');
  expect(printed.match(/got SIGTERM/g)).toHaveLength(1);
});

test('a wrapper that leaves its server behind has failed, at once, and the server is ended', async () => {
  const leave = join(temporaryFolder(), 'leave');
  const { process: model, port } = await startable({
    cmd: wrapped('leaving-wrapper.sh', `${leave} ${server('--sigterm 300')}`),
    stopTimeoutMs: farMs,
  });
  expect((await model.ensureReady()).type).toBe('ready');
  const pid = await printedPid(model, 'server');
  writeFileSync(leave, '');
  const state = await eventually(() => model.state.name === 'stopping' && model.state);
  expect(state.reason).toBe('exited');
  const failed = await eventually(() => model.state.name === 'failed' && model.state);
  expect(failed.failure.message).toContain(
    'ended with exit code 3 while it was ready; last output: wrapper leaves',
  );
  expect(isAlive(pid)).toBe(false);
  expect(model.output.history().toString()).toContain('cleaned up');
  await expect(fetch(`http://127.0.0.1:${port}/pid`)).rejects.toThrow();
});

test('stop ends descendants in sessions of their own, orphaned or not', async (context) => {
  context.skip(!isLinux, 'descendants are found through /proc');
  const { process: model } = await startable({ cmd: wrapped('escaping-wrapper.sh', server()) });
  await model.ensureReady();
  // That nobody is left is what the fixture checks after every test.
  await model.stop('unload');
  expect(model.state.name).toBe('stopped');
});

test('stop ends a descendant that is known by its parent alone', async (context) => {
  context.skip(!isLinux, 'descendants are found through /proc');
  const { process: model } = await startable({ cmd: wrapped('bare-wrapper.sh', server()) });
  await model.ensureReady();
  const bare = await printedPid(model, 'bare');
  expect(isAlive(bare)).toBe(true);
  await model.stop('unload');
  expect(isAlive(bare)).toBe(false);
});

test('cmdStop is run instead of SIGTERM, with the pid filled in', async () => {
  const { process: model } = await startable({
    cmd: server(),
    cmdStop: `sh -c 'echo "stop \${PID}"; kill -INT \${PID}'`,
    stopTimeoutMs: farMs,
  });
  const ready = await model.ensureReady();
  if (ready.type !== 'ready') throw new Error(ready.type);
  await model.stop('unload');
  expect(model.state).toMatchObject({ exit: { code: null, signal: 'SIGINT' } });
  const printed = model.output.history().toString();
  expect(printed).toContain(`stop ${ready.pid}\n`);
  expect(printed).not.toContain('got SIGTERM');
});

test('the next start waits until cmdStop has finished its work', async () => {
  const marker = join(temporaryFolder(), 'done');
  const { process: model } = await startable({
    cmd: `sh -c 'if test -e "$0"; then echo "found it"; fi; exec "$@"' ${marker} ${server()}`,
    cmdStop: `sh -c 'kill -TERM \${PID}; sleep 0.4; touch ${marker}'`,
    stopTimeoutMs: farMs,
  });
  await model.ensureReady();
  void model.stop('evict');
  expect(await model.ensureReady()).toMatchObject({ type: 'ready', generation: 2 });
  expect(model.output.history().toString()).toContain('found it');
});

test.each([
  ['cannot be started', 'missing-program ${PID}'],
  ['cannot be read', `sh -c 'kill`],
  ['fails', `sh -c 'exit 1'`],
])('SIGTERM is sent after all when cmdStop %s', async (_, cmdStop) => {
  const { process: model } = await startable({ cmd: server(), cmdStop, stopTimeoutMs: farMs });
  await model.ensureReady();
  expect(await timed(model.stop('unload'))).toBeLessThan(5000);
  expect(model.state).toMatchObject({ exit: { code: 0, signal: null } });
  expect(
    model.output
      .history()
      .toString()
      .match(/got SIGTERM/g),
  ).toHaveLength(1);
});

test('a cmdStop that hangs is ended together with the child at the deadline', async () => {
  const { process: model } = await startable({ cmd: server(), cmdStop: `sh -c 'sleep 300 & wait'` });
  await model.ensureReady();
  const tookMs = await timed(model.stop('unload', { timeoutMs: 500 }));
  expect(tookMs).toBeGreaterThanOrEqual(499);
  expect(tookMs).toBeLessThan(3000);
  expect(model.state).toMatchObject({ exit: { signal: 'SIGKILL' } });
});

test('stopAll ends all processes in parallel and for good', async () => {
  const fixtures = await Promise.all([
    startable({ cmd: server('--sigterm 600') }),
    startable({ cmd: server('--sigterm ignore') }),
    startable({ cmd: server() }),
  ]);
  const [slow, deaf] = fixtures.map((fixture) => fixture.process);
  await Promise.all([slow?.ensureReady(), deaf?.ensureReady()]);
  const tookMs = await timed(
    stopAll(
      fixtures.map((fixture) => fixture.process),
      { timeoutMs: 1000 },
    ),
  );
  expect(tookMs).toBeLessThan(3000);
  expect(slow?.state).toMatchObject({ name: 'stopped', reason: 'shutdown', exit: { code: 0 } });
  expect(deaf?.state).toMatchObject({ name: 'stopped', exit: { signal: 'SIGKILL' } });
  expect(await slow?.ensureReady()).toEqual({ type: 'aborted', by: 'close' });
});

test('the ledger holds a child exactly while it or anything of it runs', async () => {
  const { process: model, port, ledgerFile } = await startable({ cmd: server('--sigterm 200') });
  const children = () => {
    const reading = readLedger(ledgerFile);
    if (reading.type !== 'read') throw new Error(reading.type);
    return reading.content.children;
  };
  expect(children()).toEqual([]);
  const ready = await model.ensureReady();
  if (ready.type !== 'ready') throw new Error(ready.type);
  expect(children()).toMatchObject([{ id: 'm', pid: ready.pid, port, stopTimeoutMs: 5000 }]);
  const stop = model.stop('unload');
  expect(children()).toHaveLength(1);
  await stop;
  expect(children()).toEqual([]);
});
