/** The stop ladder for a whole family: ask, wait as long as allowed, then kill. Ends when nobody is left. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deadline } from './deadline.ts';
import type { Family } from './family.ts';

export interface TerminateOptions {
  readonly family: Family;
  /** When waiting ends and killing begins. May come nearer meanwhile. */
  readonly killAt: Deadline;
  /**
   * The first step. Default: SIGTERM to everyone. Another way (a stop command) may call `ask` later to do that after
   * all. Whoever survives the leader is asked in any case.
   */
  readonly begin?: (ask: () => Promise<void>) => void;
  /** Resolves when the leader has ended: until then nobody is looked for. Absent: unknown, so everyone is watched. */
  readonly leaderEnded?: Promise<unknown>;
  /** Called once when somebody is still there `stuckMs` after the first SIGKILL (a process stuck in a driver). */
  readonly onStuck?: () => void;
  /** Default 10 s: SIGKILL takes milliseconds, giving back the memory of a large model some seconds. */
  readonly stuckMs?: number;
}

const firstPollMs = 10;
const pollMsMax = 200;

export async function terminateFamily(options: TerminateOptions): Promise<void> {
  const { family, killAt, leaderEnded, onStuck, stuckMs = 10_000 } = options;
  const asked = new Set<number>();
  function askThose(pids: readonly number[]): void {
    const fresh = pids.filter((pid) => !asked.has(pid));
    for (const pid of fresh) asked.add(pid);
    if (fresh.length > 0) family.signal(fresh, 'SIGTERM');
  }
  // Looked up before any signal: afterwards the parents that lead to a descendant may be gone.
  const ask = async (): Promise<void> => {
    askThose(await family.members());
  };
  if (!killAt.isReached) {
    if (options.begin === undefined) await ask();
    else options.begin(ask);
    if (leaderEnded !== undefined) await Promise.race([leaderEnded, killAt.reached]);
  }
  let pauseMs = firstPollMs;
  let killedForMs = 0;
  for (;;) {
    const left = await family.members();
    if (left.length === 0) return;
    if (killAt.isReached) {
      family.signal(left, 'SIGKILL');
      await sleep(pauseMs);
      if (killedForMs < stuckMs && killedForMs + pauseMs >= stuckMs) onStuck?.();
      killedForMs += pauseMs;
    } else {
      askThose(left);
      await Promise.race([sleep(pauseMs), killAt.reached]);
    }
    pauseMs = Math.min(pollMsMax, pauseMs * 2);
  }
}
