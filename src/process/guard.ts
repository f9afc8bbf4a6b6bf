/**
 * A second, tiny program that outlives the router by a moment: when the router ends in whatever way, kill -9 included,
 * it reaps what is left in the ledger. This file is the router's side of it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Guard {
  /** undefined when it could not be started. */
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

/**
 * POSIX only: nothing can be reaped from a ledger on Windows (`startMarkOf`). Costs one idle shell, about 2 MB; a Node
 * that waits would take forty times that, so it is started when the router has died. To be called after `createLedger`.
 */
export function startGuard({ ledgerFile, env, onLost }: GuardOptions): Guard {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const program = fileURLToPath(new URL(`./reap-after-death.${extension}`, import.meta.url));
  let closing = false;
  const guard = spawn('/bin/sh', ['-c', waitForDeath, process.execPath, program, ledgerFile], {
    env,
    // A group and session of its own: what ends the router from a terminal must not end its guard.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
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
      guard.stdin.end('closed\n');
      await exited;
    },
  };
}

/** A line on standard input: the router ended in order. Its end without a line: the router died, and `$0 $@` is run. */
const waitForDeath = `trap '' TERM INT HUP; read -r line || exec "$0" "$@"`;
