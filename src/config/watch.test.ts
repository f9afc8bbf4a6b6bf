import { mkdir, mkdtemp, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { watchFiles } from './watch.ts';
import type { FileWatcher } from './watch.ts';

let folder = '';
let file = '';
let watcher: FileWatcher | undefined;
let told: string[][] = [];
/** Looks happen when the test says so; the next one is scheduled when the one before is done. */
let pending: (() => void)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'llamero-watch-'));
  file = join(folder, 'llamero.yaml');
  told = [];
  pending = [];
  await writeFile(file, 'one');
});

afterEach(async () => {
  watcher?.close();
  await rm(folder, { recursive: true });
});

async function watch(...files: string[]): Promise<void> {
  watcher = watchFiles({
    files,
    intervalMs: 1000,
    onChange: (changed) => told.push([...changed]),
    startTimer: (run) => {
      pending.push(run);
      return () => {
        pending = pending.filter((other) => other !== run);
      };
    },
  });
  await watcher.ready;
}

async function look(times = 1): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    const run = pending.shift();
    if (run === undefined) throw new Error('no look is scheduled');
    run();
    await expect.poll(() => pending.length, { timeout: 5000, interval: 5 }).toBe(1);
  }
}

describe('WAT-1 watchFiles', () => {
  test('tells nothing while nothing changes', async () => {
    await watch(file);
    await look(4);
    expect(told).toEqual([]);
  });

  test('tells a change once, when the file is at rest', async () => {
    await watch(file);
    await writeFile(file, 'two');
    await look();
    expect(told).toEqual([]);
    await look();
    expect(told).toEqual([[file]]);
    await look(3);
    expect(told).toEqual([[file]]);
  });

  test('waits while a writer is still busy', async () => {
    await watch(file);
    for (const text of ['two', 'three', 'four-']) {
      await writeFile(file, text);
      await look();
    }
    expect(told).toEqual([]);
    await look();
    expect(told).toEqual([[file]]);
  });

  test('does not tell a file that was only touched', async () => {
    await watch(file);
    await utimes(file, new Date(), new Date());
    await look(3);
    expect(told).toEqual([]);
  });

  test('tells a change that keeps size and modification time', async () => {
    const time = new Date('2020-01-01');
    await utimes(file, time, time);
    await watch(file);
    await writeFile(file, 'two');
    await utimes(file, time, time);
    await look(2);
    expect(told).toEqual([[file]]);
  });

  test('tells a file that was renamed over the old one, each time', async () => {
    await watch(file);
    for (const text of ['two', 'three']) {
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
      await look(2);
    }
    expect(told).toEqual([[file], [file]]);
  });

  test('tells a swapped symlink of a folder, as a mounted ConfigMap has it', async () => {
    for (const version of ['v1', 'v2']) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'c.yaml'), version);
    }
    await symlink('v1', join(folder, 'data'));
    await symlink('data/c.yaml', join(folder, 'c.yaml'));
    await watch(join(folder, 'c.yaml'));
    await symlink('v2', join(folder, 'data.new'));
    await rename(join(folder, 'data.new'), join(folder, 'data'));
    await look(2);
    expect(told).toEqual([[join(folder, 'c.yaml')]]);
  });

  test('tells a file that goes away and one that comes', async () => {
    const other = join(folder, 'other.yaml');
    await watch(file, other);
    await rm(file);
    await look(2);
    await writeFile(other, 'new');
    await look(2);
    expect(told).toEqual([[file], [other]]);
  });

  test('tells several files in one call', async () => {
    const other = join(folder, 'other.yaml');
    await watch(file, other);
    await Promise.all([writeFile(file, 'two'), writeFile(other, 'two')]);
    await look(2);
    expect(told).toEqual([[file, other]]);
  });

  test('tells nothing after close, not even from a look under way', async () => {
    await watch(file);
    await writeFile(file, 'two');
    await look();
    const run = pending.shift();
    run?.();
    watcher?.close();
    // The look under way reads the disk, as this does, and is over long before.
    for (let time = 0; time < 50; time += 1) await readFile(file);
    expect(pending).toEqual([]);
    expect(told).toEqual([]);
  });

  test('runs on the timers of the system by default', async () => {
    watcher = watchFiles({ files: [file], intervalMs: 10, onChange: (changed) => told.push([...changed]) });
    await watcher.ready;
    await writeFile(file, 'two');
    await expect.poll(() => told, { timeout: 10_000, interval: 10 }).toEqual([[file]]);
  });
});

describe('WAT-1 watchFiles of a folder', () => {
  async function watchFolder(): Promise<void> {
    watcher = watchFiles({
      files: [],
      folders: [folder],
      intervalMs: 1000,
      onChange: (changed) => told.push([...changed]),
      startTimer: (run) => {
        pending.push(run);
        return () => {
          pending = pending.filter((other) => other !== run);
        };
      },
    });
    await watcher.ready;
  }

  test('tells files that come, change and go', async () => {
    await watchFolder();
    const added = join(folder, 'more.yml');
    await writeFile(added, 'two');
    await look(3);
    await writeFile(file, 'other');
    await look(3);
    await rm(added);
    await look(2);
    expect(told).toEqual([[added], [file], [added]]);
  });

  test('tells nothing of other files, and nothing while there is no file', async () => {
    await watchFolder();
    await writeFile(join(folder, 'notes.txt'), 'x');
    await look(3);
    await rm(file);
    await look(3);
    expect(told).toEqual([]);
  });
});
