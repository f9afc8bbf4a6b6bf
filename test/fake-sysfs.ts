/** A folder that looks like `/sys` to whoever reads it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface FakeSysfs {
  readonly root: string;
  /** Paths below the root, and what stands in the files. */
  readonly write: (files: Readonly<Record<string, string | number>>) => void;
}

/** Gone with the test. */
export function fakeSysfs(files: Readonly<Record<string, string | number>> = {}): FakeSysfs {
  const root = mkdtempSync(join(tmpdir(), 'llamero-sysfs-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true });
  });
  const write = (more: Readonly<Record<string, string | number>>): void => {
    for (const [path, text] of Object.entries(more)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), `${text}\n`);
    }
  };
  write(files);
  return { root, write };
}

/** The same files below a folder. */
export function below(
  folder: string,
  files: Readonly<Record<string, string | number>>,
): Record<string, string | number> {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]));
}
