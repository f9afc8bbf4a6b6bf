/** Starts the program itself, as a user would, in a folder of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from './start-router.ts';

export interface Program extends AsyncDisposable {
  readonly folder: string;
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  /** Lines of its log, where they are JSON; waits for those that it holds back to write them together. */
  log(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** First address of its log; waits for it. */
  url(): Promise<string>;
  /** Writes a file in its folder, whole at once. */
  write(name: string, text: string): void;
  signal(signal: NodeJS.Signals): void;
  /** Waits for its end: the exit status, or the signal that killed it. */
  ended(): Promise<number | string>;
}

/** Well above the time that the log of a program may be held back. */
const heldLogMs = 300;

const main = resolve(import.meta.dirname, '../../src/main.ts');

/** `files`: put into its folder before it starts. `env`: on top of this program's own. */
export async function startProgram(
  args: readonly string[],
  files: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-program-'));
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, `${name}.new`), text);
    renameSync(join(folder, `${name}.new`), join(folder, name));
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const log = async () => {
    if (child.exitCode === null && child.signalCode === null) await sleep(heldLogMs);
    return stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return {
    folder,
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    log,
    write,
    async url() {
      const find = () => /listening on (http:\/\/[\d.]+:\d+)/.exec(stderr)?.[1];
      await until(() => find() !== undefined || child.exitCode !== null);
      const url = find();
      if (url === undefined) throw new Error(`did not start:\n${stderr}`);
      return url;
    },
    signal: (signal) => void child.kill(signal),
    async ended() {
      const [code, signal] = await closed;
      return code ?? signal ?? 'unknown';
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A configuration file with fast probes on a free loopback port; `more` goes over it. JSON is YAML. */
export function configText(more: object): string {
  return JSON.stringify({
    listen: '127.0.0.1:0',
    probes: { interval: '100ms', deadInterval: '100ms', timeout: 2 },
    ...more,
  });
}
