/**
 * The guard itself, started by `guard.ts`: waits for its standard input to end. After a line on it the router has ended
 * in order and there is nothing to do; without one the router has died, and its children are ended here.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../base/clock.ts';
import { reapOrphans } from './reap-orphans.ts';

/** A process that is being killed closes its pipes a moment before it is gone. */
const ownerLingersMsMax = 10_000;
const pollMs = 20;

const ledgerFile = process.argv[2];
if (ledgerFile === undefined) throw new Error('Usage: guard-program LEDGER');
// Whatever ends a whole session of processes reaches the guard too; it ends by itself, after its work.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);

let inOrder = false;
for await (const bytes of process.stdin) inOrder ||= bytes.length > 0;
if (!inOrder) {
  const options = { ledgerFile, clock: systemClock, platform: process.platform };
  let report = await reapOrphans(options);
  for (let waitedMs = 0; report.type === 'ownerAlive' && waitedMs < ownerLingersMsMax; waitedMs += pollMs) {
    await sleep(pollMs);
    report = await reapOrphans(options);
  }
}
