import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  eventually,
  here,
  isAlive,
  isLinux,
  server,
  survivors,
  temporaryFolder,
  unusedPort,
  wrapped,
} from '../../test/processes/harness.ts';
import { systemClock } from '../base/clock.ts';
import { createLedger, readLedger, startMarkOf } from './ledger.ts';
import { reapOrphans } from './reap-orphans.ts';

const { platform } = process;

interface Router {
  readonly pid: number;
  readonly guard: number;
  readonly children: readonly number[];
  readonly ledgerFile: string;
  /** Value of LLAMERO_TEST in the environment of everyone who descends from it. */
  readonly testMark: string;
  readonly exited: Promise<unknown>;
}

/** A router in a process of its own with running children, so that it can be killed. */
async function startRouter(guarded: 'guard' | 'no-guard', ...commands: string[]): Promise<Router> {
  const ledgerFile = join(temporaryFolder(), 'run', 'processes.json');
  const testMark = randomUUID();
  const child = spawn(process.execPath, [join(here, 'router.ts'), ledgerFile, guarded, ...commands], {
    env: { ...process.env, LLAMERO_TEST: testMark },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    for (const pid of await survivors(testMark)) process.kill(pid, 'SIGKILL');
  });
  let printed = '';
  child.stdout.on('data', (bytes: Buffer) => (printed += bytes.toString()));
  const line = await eventually(() => printed.endsWith('\n') && printed);
  return { ...(JSON.parse(line) as Router), pid: child.pid ?? 0, ledgerFile, testMark, exited };
}

async function kill(router: Router): Promise<void> {
  process.kill(router.pid, 'SIGKILL');
  await router.exited;
}

async function someServer(...args: string[]): Promise<string> {
  return server(...args).replace('{port}', String(await unusedPort()));
}

describe('after kill -9 of the router', () => {
  test('its orphans are found at the next start and ended, deaf and forked ones too', async () => {
    const router = await startRouter(
      'no-guard',
      await someServer(),
      await someServer('--sigterm ignore'),
      wrapped('forking-wrapper.sh', await someServer()),
    );
    await kill(router);
    expect(router.children.map(isAlive)).toEqual([true, true, true]);
    const report = await reapOrphans({ ledgerFile: router.ledgerFile, clock: systemClock, platform });
    const orphan = (index: number) => ({ id: `m${index}`, pid: router.children[index], port: undefined });
    expect(report).toEqual({ type: 'reaped', orphans: [orphan(0), orphan(1), orphan(2)] });
    expect(router.children.map(isAlive)).toEqual([false, false, false]);
    expect(await survivors(router.testMark)).toEqual([]);
    const again = await reapOrphans({ ledgerFile: router.ledgerFile, clock: systemClock, platform });
    expect(again).toEqual({ type: 'reaped', orphans: [] });
  });

  test('what an orphan left behind is found even when the orphan itself has gone', async (context) => {
    context.skip(!isLinux, 'descendants are found through /proc');
    const router = await startRouter('no-guard', wrapped('escaping-wrapper.sh', await someServer()));
    await eventually(async () => (await survivors(router.testMark)).length >= 4);
    await kill(router);
    const [child = 0] = router.children;
    process.kill(child, 'SIGKILL');
    await eventually(() => !isAlive(child));
    expect(await survivors(router.testMark)).toHaveLength(2);
    await reapOrphans({ ledgerFile: router.ledgerFile, clock: systemClock, platform, now: true });
    expect(await survivors(router.testMark)).toEqual([]);
  });

  test('the guard ends them without a next start, and then itself', async () => {
    const router = await startRouter(
      'guard',
      await someServer(),
      wrapped('escaping-wrapper.sh', await someServer('--sigterm ignore')),
    );
    expect(isAlive(router.guard)).toBe(true);
    await kill(router);
    await eventually(() => !router.children.some(isAlive));
    await eventually(() => !isAlive(router.guard));
    await eventually(async () => (await survivors(router.testMark)).length === 0);
  });

  test('the guard does its work although it was signalled together with the router', async (context) => {
    context.skip(!isLinux, 'what a process ignores is read from /proc');
    const router = await startRouter('guard', await someServer());
    await eventually(() => ignores(router.guard, 'SIGHUP'));
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(router.guard, signal);
    await kill(router);
    await eventually(() => !router.children.some(isAlive));
    await eventually(() => !isAlive(router.guard));
  });
});

test('a router that ends in order takes its children and its guard with it', async () => {
  const router = await startRouter('guard', await someServer());
  process.kill(router.pid, 'SIGTERM');
  await router.exited;
  expect([...router.children, router.guard].some(isAlive)).toBe(false);
  expect(readLedger(router.ledgerFile)).toMatchObject({ content: { children: [] } });
});

test('nothing is touched while the router that owns the ledger is alive', async () => {
  const router = await startRouter('no-guard', await someServer());
  const report = await reapOrphans({ ledgerFile: router.ledgerFile, clock: systemClock, platform });
  expect(report).toEqual({ type: 'ownerAlive', pid: router.pid });
  expect(router.children.every(isAlive)).toBe(true);
});

test('a process that merely has an orphan’s old pid is left alone', async () => {
  const stranger = spawn('sleep', ['300'], { detached: true });
  onTestFinished(() => {
    stranger.kill('SIGKILL');
  });
  const { pid = 0 } = stranger;
  const ledgerFile = join(temporaryFolder(), 'processes.json');
  const child = { mark: randomUUID(), id: 'm', stopTimeoutMs: 0, pid };
  for (const startMark of [undefined, 'another-boot:1']) {
    const content = { version: 1, owner: { pid: 1, startMark: 'gone' }, children: [{ ...child, startMark }] };
    writeFileSync(ledgerFile, JSON.stringify(content));
    const report = await reapOrphans({ ledgerFile, clock: systemClock, platform });
    expect(report).toEqual({ type: 'reaped', orphans: [] });
  }
  expect(isAlive(pid)).toBe(true);
});

test('a missing ledger and a damaged one are told apart, and neither stops a start', async () => {
  const ledgerFile = join(temporaryFolder(), 'processes.json');
  const reap = () => reapOrphans({ ledgerFile, clock: systemClock, platform });
  expect(await reap()).toEqual({ type: 'absent' });
  for (const text of ['', '{"version":1', '{"version":2}', '{"version":1,"owner":{"pid":0},"children":[]}']) {
    writeFileSync(ledgerFile, text);
    expect((await reap()).type).toBe('unreadable');
  }
});

describe('the ledger', () => {
  test('names its owner and is never seen half written', () => {
    const file = join(temporaryFolder(), 'a', 'b', 'processes.json');
    const ledger = createLedger({ file, platform, onError: failNow });
    ledger.expected({ mark: 'x', id: 'm', port: 5800, stopTimeoutMs: 7 });
    ledger.started('x', process.pid);
    const startMark = startMarkOf(process.pid, platform);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      version: 1,
      owner: { pid: process.pid, startMark },
      children: [{ mark: 'x', id: 'm', port: 5800, stopTimeoutMs: 7, pid: process.pid, startMark }],
    });
    ledger.ended('x');
    expect(readLedger(file)).toMatchObject({ type: 'read', content: { children: [] } });
  });

  test('reports a file it cannot write, and lets the router go on', () => {
    const file = join(temporaryFolder(), 'plain-file');
    writeFileSync(file, '');
    const errors: unknown[] = [];
    const ledger = createLedger({
      file: join(file, 'x.json'),
      platform,
      onError: (error) => errors.push(error),
    });
    ledger.expected({ mark: 'x', id: 'm', port: undefined, stopTimeoutMs: 0 });
    expect(errors.length).toBeGreaterThanOrEqual(2);
  });
});

function failNow(error: unknown): never {
  throw error;
}

/** Whether the process has begun to ignore the signal. */
function ignores(pid: number, signal: keyof typeof constants.signals): boolean {
  const ignored = /SigIgn:\s*([0-9a-f]+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${ignored}`) & (1n << BigInt(constants.signals[signal] - 1))) !== 0n;
}
