/**
 * Ends what a router left running when it was killed. Works from the ledger alone and touches only processes it can
 * prove to be those: by their mark in the environment (Linux), or by pid and start time. Never writes the ledger.
 */
import type { Clock } from '../base/clock.ts';
import { createDeadline } from './deadline.ts';
import { createFamily } from './family.ts';
import { readLedger, startMarkOf } from './ledger.ts';
import type { LedgerChild } from './ledger.ts';
import { terminateFamily } from './terminate.ts';

export interface ReapOptions {
  readonly ledgerFile: string;
  readonly clock: Clock;
  readonly platform: NodeJS.Platform;
  /** SIGKILL at once instead of SIGTERM and each child's own stop timeout. Default false. */
  readonly now?: boolean;
}

export interface Orphan {
  readonly id: string;
  readonly pid: number | undefined;
  readonly port: number | undefined;
}

export type ReapReport =
  /** No ledger: nothing was ever started here. */
  | { readonly type: 'absent' }
  /** The ledger is damaged; nothing was touched. */
  | { readonly type: 'unreadable'; readonly problem: string }
  /** The router that owns the ledger still runs; nothing was touched. */
  | { readonly type: 'ownerAlive'; readonly pid: number }
  /** These were found alive and are gone now, with everything they had started. */
  | { readonly type: 'reaped'; readonly orphans: readonly Orphan[] };

/** To be called at start, before the ledger is taken over and ports are handed out. Resolves when they are gone. */
export async function reapOrphans(options: ReapOptions): Promise<ReapReport> {
  const reading = readLedger(options.ledgerFile);
  if (reading.type !== 'read') return reading;
  const { owner, children } = reading.content;
  if (isAlive(owner, options.platform)) return { type: 'ownerAlive', pid: owner.pid };
  const found = await Promise.all(children.map((child) => reap(child, options)));
  return { type: 'reaped', orphans: found.filter((orphan) => orphan !== undefined) };
}

async function reap(child: LedgerChild, options: ReapOptions): Promise<Orphan | undefined> {
  const { platform, clock } = options;
  const pid = isAlive(child, platform) ? child.pid : undefined;
  const family = createFamily({ pid, mark: child.mark, platform });
  if ((await family.members()).length === 0) return undefined;
  const killAt = createDeadline(clock);
  killAt.tighten(clock.nowMs() + (options.now === true ? 0 : child.stopTimeoutMs));
  const gaveUp = Promise.withResolvers<void>();
  await Promise.race([terminateFamily({ family, killAt, onStuck: gaveUp.resolve }), gaveUp.promise]);
  killAt.clear();
  return { id: child.id, pid: child.pid, port: child.port };
}

function isAlive(
  { pid, startMark }: { readonly pid?: number | undefined; readonly startMark?: string | undefined },
  platform: NodeJS.Platform,
): boolean {
  return pid !== undefined && startMark !== undefined && startMarkOf(pid, platform) === startMark;
}
