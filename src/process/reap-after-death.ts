/** The program that the guard runs when the router has died: reaps the orphans in the ledger named as its argument. */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../base/clock.ts';
import { reapOrphans } from './reap-orphans.ts';

/** A process that is being killed closes its pipes a moment before it is gone. */
const ownerLingersMsMax = 10_000;
const pollMs = 20;

const ledgerFile = process.argv[2];
if (ledgerFile === undefined) throw new Error('Usage: reap-after-death LEDGER');
// Whatever ends a whole session of processes reaches this one too; it ends by itself, after its work.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);

const options = { ledgerFile, clock: systemClock, platform: process.platform };
let report = await reapOrphans(options);
for (let waitedMs = 0; report.type === 'ownerAlive' && waitedMs < ownerLingersMsMax; waitedMs += pollMs) {
  await sleep(pollMs);
  report = await reapOrphans(options);
}
