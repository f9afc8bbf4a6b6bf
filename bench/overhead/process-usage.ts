/** What a process and all its descendants have used, from /proc: so a proxy with workers is counted whole. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

export interface ProcessUsage {
  /** User and system time since the start, in microseconds; the kernel counts in ticks of 10 ms. */
  readonly cpuUs: number;
  readonly rssBytes: number;
}

interface Stat {
  readonly parent: number;
  readonly ticks: number;
  readonly rssPages: number;
}

const ticksPerS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const pageBytes = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));

/** Throws when the process is gone. */
export function readUsage(pid: number): ProcessUsage {
  const family = familyOf(pid);
  if (family.length === 0) throw new Error(`process ${pid} is gone`);
  const ticks = family.reduce((sum, stat) => sum + stat.ticks, 0);
  const pages = family.reduce((sum, stat) => sum + stat.rssPages, 0);
  return { cpuUs: (ticks / ticksPerS) * 1e6, rssBytes: pages * pageBytes };
}

/** The fields of /proc/PID/stat that matter. The program's name stands in brackets and may hold anything. */
export function parseStat(text: string): Stat {
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [parent, utime, stime, rssPages] = [fields[1], fields[11], fields[12], fields[21]];
  if (parent === undefined || utime === undefined || stime === undefined || rssPages === undefined) {
    throw new Error('/proc/PID/stat has too few fields');
  }
  return { parent, ticks: utime + stime, rssPages };
}

function familyOf(root: number): Stat[] {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      stats.set(Number(name), parseStat(readFileSync(`/proc/${name}/stat`, 'utf8')));
    } catch (error) {
      // It ended between the listing and the reading.
      if (!/^(?:ENOENT|ESRCH)$/.test((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  const family: Stat[] = [];
  const visit = (pid: number): void => {
    const stat = stats.get(pid);
    if (stat === undefined) return;
    family.push(stat);
    for (const [child, { parent }] of stats) if (parent === pid) visit(child);
  };
  visit(root);
  return family;
}
