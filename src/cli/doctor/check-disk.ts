/** Whether there is room where the store writes. Writes nothing itself. */
import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { bytesText } from '../top/figures.ts';
import type { Config } from '../../config/schema.ts';
import { fault, good, type Finding } from './finding.ts';

export interface DiskSpace {
  readonly folder: string;
  /** For programs that are not the superuser's. */
  readonly freeBytes: number;
  /** Files that can still be made; undefined = the file system does not count them. */
  readonly freeFiles: number | undefined;
}

const littleBytes = 2 ** 30;
const almostNoBytes = 64 * 2 ** 20;
/** Each store has a write-ahead log and shared memory beside its file, and there are three. */
const fewFiles = 20;

/** Empty without a store: then nothing is written. That its path takes writes is seen when the configuration is loaded. */
export async function checkDisk({ store }: Config, cwd: string): Promise<Finding[]> {
  if (store === undefined) return [good('disk', 'nothing is written: there is no store')];
  const folder = dirname(resolve(cwd, store.path));
  const { bavail, bsize, files, ffree } = await statfs(folder);
  return [judgeDisk({ folder, freeBytes: bavail * bsize, freeFiles: files === 0 ? undefined : ffree })];
}

export function judgeDisk({ folder, freeBytes, freeFiles }: DiskSpace): Finding {
  const saw = `${bytesText(freeBytes)} are free for the store`;
  if (freeFiles !== undefined && freeFiles < fewFiles) {
    const change = 'delete files on that file system, or store.path: on another one';
    return fault(folder, { level: 'error', saw: `only ${freeFiles} more files can be made there`, change });
  }
  if (freeBytes >= littleBytes) return good(folder, saw);
  return fault(folder, {
    level: freeBytes < almostNoBytes ? 'error' : 'warning',
    saw,
    change:
      'free some space there, lower store.rowsMax or usage.rowsMax, or store.path: on another file system',
  });
}
