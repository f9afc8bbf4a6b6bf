/** Where something changed so that somebody who waits may be served now, or not any more. Emptied before an event is over. */
import type { Ledger } from './ledger.ts';
import type { ServedModel } from './served-model.ts';

export class Agenda {
  readonly ledgers = new Set<Ledger>();
  readonly models = new Set<ServedModel>();
  /** Who can be served at all has changed: each lane has to be looked at. */
  shape = false;
  /** A load may be possible or needed now. */
  swaps = false;

  /** Nobody became placeable. */
  get isEmpty(): boolean {
    return this.ledgers.size === 0 && this.models.size === 0;
  }

  addLedger(ledger: Ledger | undefined): void {
    if (ledger !== undefined) this.ledgers.add(ledger);
  }
}
