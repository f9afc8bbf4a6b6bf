/**
 * A second, tiny program that outlives the router by a moment: when the router ends in whatever way, kill -9 included,
 * it reaps what is left in the ledger. This file is the router's side of it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Guard {
  readonly pid: number | undefined;
  /** Ends the guard in order: it touches nothing any more. Call it after the last child is gone. */
  close(): Promise<void>;
}

export interface GuardOptions {
  readonly ledgerFile: string;
  readonly env: NodeJS.ProcessEnv;
  /** The guard could not be started, or ended while it was needed. Orphans are then reaped at the next start only. */
  readonly onLost: (problem: string) => void;
}

/** Costs one idle Node process. To be started after the ledger was created. */
export function startGuard({ ledgerFile, env, onLost }: GuardOptions): Guard {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const program = fileURLToPath(new URL(`./guard-program.${extension}`, import.meta.url));
  let closing = false;
  const guard = spawn(process.execPath, [...smallHeap, program, ledgerFile], {
    env,
    // A group and session of its own: what ends the router from a terminal must not end its guard.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    windowsHide: true,
  });
  const exited = once(guard, 'exit').then(
    ([code, signal]) => {
      if (!closing) onLost(`the guard ended with ${signal ?? code}`);
    },
    (error: unknown) => {
      onLost(`the guard could not be started: ${error instanceof Error ? error.message : String(error)}`);
    },
  );
  guard.stdin.on('error', () => undefined);
  // The router may end whenever it likes; that is the point.
  guard.unref();
  return {
    pid: guard.pid,
    async close() {
      closing = true;
      guard.ref();
      guard.stdin.end('close\n');
      await exited;
    },
  };
}

const smallHeap = ['--max-old-space-size=32', '--max-semi-space-size=1'];
