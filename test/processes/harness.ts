/** Starts real processes for one test and makes sure, when it ends, that nothing of them is left on the machine. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { createLedger } from '../../src/process/ledger.ts';
import { filterByEnvironment, readProcTable, tryReadProcEntry } from '../../src/process/proc-table.ts';
import type { ManagedProcess, ProcessSpec, ProcessState } from '../../src/process/process-state.ts';
import { createProcess } from '../../src/process/process.ts';
import type { RunDeps } from '../../src/process/run.ts';

export const here = import.meta.dirname;
export const isLinux = process.platform === 'linux';

/** The command line of `model-server.ts`; `{port}` in the arguments stays for `startable`. */
export function server(...args: string[]): string {
  return `'${process.execPath}' '${join(here, 'model-server.ts')}' --port {port} ${args.join(' ')}`;
}

/** The same behind one of the wrapper scripts beside this file. */
export function wrapped(script: string, command: string): string {
  return `sh '${join(here, script)}' ${command}`;
}

export interface Fixture {
  readonly process: ManagedProcess;
  readonly port: number;
  /** Names of the states it went through, in order. */
  readonly states: ProcessState['name'][];
  readonly ledgerFile: string;
}

/** A process that is not started yet. Ended by force with the test, after which nobody carrying its mark may live. */
export async function startable(spec: Partial<ProcessSpec> & { cmd: string }): Promise<Fixture> {
  const port = await unusedPort();
  const folder = temporaryFolder();
  const ledgerFile = join(folder, 'processes.json');
  const testMark = randomUUID();
  const deps: RunDeps = {
    clock: systemClock,
    env: process.env,
    platform: process.platform,
    ledger: createLedger({
      file: ledgerFile,
      platform: process.platform,
      onError: (error) => {
        throw error;
      },
    }),
  };
  const managed = createProcess(
    {
      id: 'm',
      cmdStop: '',
      cwd: undefined,
      proxy: `http://127.0.0.1:${port}`,
      checkEndpoint: '/health',
      port,
      readyTimeoutMs: 10_000,
      stopTimeoutMs: 5000,
      ...spec,
      cmd: spec.cmd.replaceAll('{port}', String(port)),
      env: { ...spec.env, LLAMERO_TEST: testMark },
    },
    deps,
  );
  const states: ProcessState['name'][] = [];
  managed.onState((state) => states.push(state.name));
  onTestFinished(async () => {
    await managed.close({ now: true });
    expect(await survivors(testMark)).toEqual([]);
  });
  return { process: managed, port, states, ledgerFile };
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-process-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Pids of everyone alive who inherited `LLAMERO_TEST=mark`. Empty where there is no /proc to look into. */
export async function survivors(mark: string): Promise<number[]> {
  if (!isLinux) return [];
  const found = await filterByEnvironment(await readProcTable(), `LLAMERO_TEST=${mark}`);
  return found.map(({ pid }) => pid);
}

export async function unusedPort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, '127.0.0.1', resolve);
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => {
    probe.close(resolve);
  });
  return port;
}

/** Polls until the value is there. Fails after 10 s. */
export async function eventually<T>(
  read: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const giveUpMs = performance.now() + 10_000;
  while (performance.now() < giveUpMs) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    await sleep(10);
  }
  throw new Error(`Nothing after 10 s from ${read.toString()}`);
}

/** Zombies count as dead: who reaps an orphan, and when, is the machine's business. */
export function isAlive(pid: number): boolean {
  if (isLinux) return tryReadProcEntry(pid) !== undefined;
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Waits for a line `NAME pid N` in what the process printed. */
export function printedPid(managed: ManagedProcess, name: string): Promise<number> {
  return eventually(() => {
    const match = new RegExp(`${name} pid (\\d+)\\n`).exec(managed.output.history().toString());
    return match?.[1] === undefined ? undefined : Number(match[1]);
  });
}
