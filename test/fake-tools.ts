/** Programs on PATH that are shell scripts, in the place of tools that a machine without GPUs does not have. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface FakeTools {
  readonly folder: string;
  /** With the tools before everything else on PATH. */
  readonly env: NodeJS.ProcessEnv;
  /** Puts one in its place, or another in place of it. Each start leaves a line `NAME PID` in the file `started`. */
  readonly put: (name: string, script: string) => void;
  /** Pids of all starts of a tool so far. */
  readonly starts: (name: string) => number[];
}

/** Ends with the test: then its folder is gone, but not what the scripts have started. */
export function fakeTools(scripts: Readonly<Record<string, string>> = {}): FakeTools {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-tools-'));
  const started = join(folder, 'started');
  writeFileSync(started, '');
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const put = (name: string, script: string): void => {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\necho "${name} $$" >> '${started}'\n${script}\n`);
    chmodSync(file, 0o755);
  };
  for (const [name, script] of Object.entries(scripts)) put(name, script);
  return {
    folder,
    env: { PATH: `${folder}:/usr/bin:/bin` },
    put,
    starts: (name) =>
      readFileSync(started, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith(`${name} `))
        .map((line) => Number(line.split(' ')[1])),
  };
}

/** A recorded output of a tool. */
export function gpuFixture(name: string): string {
  return readFileSync(gpuFixturePath(name), 'utf8');
}

export function gpuFixturePath(name: string): string {
  return join(import.meta.dirname, 'fixtures', 'gpu', name);
}

/** A script that prints a recorded output again and again. It ends when nobody reads, as programs do by SIGPIPE. */
export function printsForever(name: string): string {
  return `while cat '${gpuFixturePath(name)}'; do sleep 0.05; done`;
}
