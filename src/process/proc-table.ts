/** What Linux says about processes under /proc. Read-only; a process that ends while it is read is simply not there. */
import { readFileSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';

export interface ProcEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Clock ticks from boot to its start: with the pid, the identity of a process until the next boot. */
  readonly startTicks: number;
}

/** Reads in flight at once: the thread pool is shared with the rest of the program. */
const readsAtOnce = 32;

/** Every process that can still run, i.e. without zombies. Rejects when /proc cannot be read. */
export async function readProcTable(): Promise<ProcEntry[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const texts = await readAll(pids.map((pid) => `/proc/${pid}/stat`));
  return texts.map(parseProcStat).filter((entry) => entry !== undefined);
}

/**
 * Those of the given processes that were started with `entry` (`NAME=value`) in their environment. One whose
 * environment may not be read counts as without.
 */
export async function filterByEnvironment(
  entries: readonly ProcEntry[],
  entry: string,
): Promise<readonly ProcEntry[]> {
  const texts = await readAll(entries.map(({ pid }) => `/proc/${pid}/environ`));
  return entries.filter((_, index) => texts[index]?.split('\0').includes(entry) === true);
}

/** undefined when there is no such process, or only its zombie. */
export function tryReadProcEntry(pid: number): ProcEntry | undefined {
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Main memory that a process takes: its share of what it has in common with others counted in proportion, or all of it
 * where that may not be read. undefined when there is no such process.
 */
export async function tryReadRamBytes(pid: number): Promise<number | undefined> {
  const [rollup = '', status = ''] = await readAll([`/proc/${pid}/smaps_rollup`, `/proc/${pid}/status`]);
  const kibibytes = /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

/** Differs after every boot: start ticks of different boots must not be compared. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** One line of `/proc/PID/stat`; undefined for a zombie or no such line. */
export function parseProcStat(text: string): ProcEntry | undefined {
  // The program's name stands in brackets and may itself hold brackets and spaces.
  const nameEnd = text.lastIndexOf(')');
  if (nameEnd === -1) return undefined;
  const fields = text.slice(nameEnd + 2).split(' ');
  const [state, parent, group, session] = fields;
  if (state === 'Z' || state === 'X' || state === undefined) return undefined;
  return {
    pid: Number.parseInt(text, 10),
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    startTicks: Number(fields[19]),
  };
}

/** The text of each file, empty for a process that has ended or belongs to another user. */
async function readAll(paths: readonly string[]): Promise<string[]> {
  const texts: string[] = [];
  for (let start = 0; start < paths.length; start += readsAtOnce) {
    const batch = paths.slice(start, start + readsAtOnce);
    texts.push(...(await Promise.all(batch.map(readOrEmpty))));
  }
  return texts;
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    // Anything else (no file descriptors left) must not look as if the process had ended.
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return '';
    throw error;
  }
}
