/**
 * Keeps processes from outliving the router: ends what an earlier one left behind, writes down what this one starts, and
 * has a guard that ends it if this one is killed. See src/process/README.md.
 */
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { BackendLog } from '../engines/watch-context.ts';
import { startGuard, type Guard } from '../process/guard.ts';
import { createLedger, type ProcessLedger } from '../process/ledger.ts';
import { reapOrphans } from '../process/reap-orphans.ts';

export interface OrphanWatchOptions {
  /** Routers with the same name look after the same processes: the configuration file, absolute. */
  readonly name: string;
  /** Where the ledger goes; default: a folder of this user in the system's folder for temporary files. */
  readonly folder?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly clock: Clock;
  readonly log: BackendLog;
}

export interface OrphanWatch {
  readonly ledger: ProcessLedger;
  /** For what routers of this name have measured of their models; lies beside the ledger. */
  readonly memoryFile: string;
  /** To be called after the last process has ended. */
  close(): Promise<void>;
}

/** Resolves when nothing of an earlier router is left. */
export async function watchOrphans(options: OrphanWatchOptions): Promise<OrphanWatch> {
  const { env, platform, clock, log } = options;
  const folder = options.folder ?? join(tmpdir(), `llamero-${process.getuid?.() ?? 'user'}`);
  const hash = createHash('sha256').update(options.name).digest('hex').slice(0, 16);
  let file = join(folder, `${hash}.json`);
  const report = await reapOrphans({ ledgerFile: file, clock, platform });
  if (report.type === 'ownerAlive') {
    log.warn({ pid: report.pid }, 'Another router with this configuration is running');
    file = join(folder, `${hash}-${process.pid}.json`);
  } else if (report.type === 'unreadable')
    log.warn({ problem: report.problem }, 'The ledger of processes is damaged');
  else if (report.type === 'reaped') {
    for (const orphan of report.orphans)
      log.warn({ ...orphan }, 'Ended a process that an earlier router left behind');
  }
  const onError = (error: unknown) => log.warn({ err: error }, 'The ledger of processes cannot be written');
  const ledger = createLedger({ file, platform, onError });
  let guard: Guard | undefined;
  if (platform !== 'win32') {
    guard = startGuard({
      ledgerFile: file,
      env,
      onLost: (problem) => log.warn({ problem }, 'The guard of processes is gone'),
    });
  }
  return {
    ledger,
    memoryFile: join(folder, `${hash}-memory.json`),
    close: async () => {
      await guard?.close();
    },
  };
}
