/**
 * A child and everything it started. Owns the question who belongs to it, and sends signals to those alone: on Linux its
 * process group, its session, its descendants, and whoever carries its mark in the environment (also after the parents
 * in between have gone); on other POSIX systems its process group; on Windows its tree.
 */
import type { ProcEntry } from './proc-table.ts';
import { filterByEnvironment, readProcTable, tryReadProcEntry } from './proc-table.ts';
import { killTree } from './windows.ts';

export interface FamilyRoot {
  /** The child itself, leader of its own process group; undefined when its pid is not known to be still its own. */
  readonly pid: number | undefined;
  /** Value of `markName` in the child's environment; unique to this start. */
  readonly mark: string;
  readonly platform: NodeJS.Platform;
}

/** Every child gets this environment variable, and its descendants inherit it. */
export const markName = 'LLAMERO_CHILD';

export interface Family {
  /** The pids of those alive now, zombies not counted. */
  members(): Promise<readonly number[]>;
  /** Members that have gone meanwhile are passed over. */
  signal(pids: readonly number[], signal: 'SIGTERM' | 'SIGKILL'): void;
}

export function createFamily(root: FamilyRoot): Family {
  if (root.platform === 'linux') return createLinuxFamily(root);
  if (root.platform === 'win32') return createWindowsFamily(root.pid);
  return createGroupFamily(root.pid);
}

/**
 * The pids of each of these children and of what it started, as far as one look at the process table tells: on Linux its
 * process group, its session and its descendants, elsewhere the child alone. Rejects when /proc cannot be read.
 */
export async function readFamilies(
  leaders: readonly number[],
  platform: NodeJS.Platform,
): Promise<ReadonlyMap<number, readonly number[]>> {
  if (platform !== 'linux') return new Map(leaders.map((leader) => [leader, [leader]]));
  const table = await readProcTable();
  return new Map(
    leaders.map((leader) => {
      const own = table.filter(({ pid, group, session }) => [pid, group, session].includes(leader));
      const found = new Map(own.map((entry) => [entry.pid, entry]));
      addDescendants(found, table);
      return [leader, [...found.keys()]];
    }),
  );
}

function createLinuxFamily({ pid: leader, mark }: FamilyRoot): Family {
  /** Everyone ever seen, by pid: one that left its group and lost its parent is still known. */
  let known = new Map<number, ProcEntry>();
  /** Whoever is older than the leader cannot be its descendant. */
  const bornTicks = (leader === undefined ? undefined : tryReadProcEntry(leader)?.startTicks) ?? 0;

  function isKnown(entry: ProcEntry): boolean {
    if (known.get(entry.pid)?.startTicks === entry.startTicks) return true;
    return leader !== undefined && [entry.pid, entry.group, entry.session].includes(leader);
  }
  async function search(): Promise<number[]> {
    const table = (await readProcTable()).filter(
      ({ pid, startTicks }) => pid !== process.pid && startTicks >= bornTicks,
    );
    const others = table.filter((entry) => !isKnown(entry));
    const marked = await filterByEnvironment(others, `${markName}=${mark}`);
    const found = new Map([...table.filter(isKnown), ...marked].map((entry) => [entry.pid, entry]));
    addDescendants(found, others);
    known = found;
    return [...found.keys()];
  }
  return {
    // Where /proc is out of reach the process group is all there is to see.
    members: () => search().catch(() => groupOf(leader)),
    signal(pids, signal) {
      // As a group, so that nobody who is being forked right now is missed; and each only once, because a second
      // SIGTERM makes some engines (llama-server) end at once instead of in order.
      const asGroup = leader !== undefined && pids.includes(leader);
      if (asGroup) send(-leader, signal);
      const reached = (pid: number): boolean => pid === leader || known.get(pid)?.group === leader;
      for (const pid of pids) if (!asGroup || !reached(pid)) send(pid, signal);
    },
  };
}

function addDescendants(found: Map<number, ProcEntry>, others: readonly ProcEntry[]): void {
  let sizeBefore = -1;
  while (sizeBefore !== found.size) {
    sizeBefore = found.size;
    for (const entry of others) if (found.has(entry.parent)) found.set(entry.pid, entry);
  }
}

function createGroupFamily(leader: number | undefined): Family {
  return {
    members: () => Promise.resolve(groupOf(leader)),
    signal(pids, signal) {
      for (const pid of pids) send(-pid, signal);
    },
  };
}

function createWindowsFamily(leader: number | undefined): Family {
  return {
    members: () => Promise.resolve(leader !== undefined && send(leader, 0) ? [leader] : []),
    signal(pids) {
      for (const pid of pids) killTree(pid);
    },
  };
}

/** The leader stands for its group, as long as that has anybody in it. */
function groupOf(leader: number | undefined): number[] {
  return leader !== undefined && send(-leader, 0) ? [leader] : [];
}

/** False when there is nobody to receive it. */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
