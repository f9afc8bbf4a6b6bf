/**
 * What a key has used and reserved of a budget of tokens, by calendar windows in UTC. A window is known by its beginning,
 * so that a clock that jumps away and comes back finds the sums it left. Decides nothing: KeyMeter does.
 */

export type BudgetPeriod = 'day' | 'month';

export interface BudgetWindow {
  readonly startEpochMs: number;
  readonly endEpochMs: number;
  used: number;
  reserved: number;
}

/** Beside the present one: the one before it, and one that a wrong clock led to. */
const windowsMax = 3;

export class TokenBudget {
  readonly #period: BudgetPeriod;
  readonly #load: (startEpochMs: number) => number;
  /** By their beginning, the one that was looked at last comes last. */
  readonly #windows = new Map<number, BudgetWindow>();

  /** `load`: what was used of a window before the program began. */
  constructor(period: BudgetPeriod, load: (startEpochMs: number) => number) {
    this.#period = period;
    this.#load = load;
  }

  windowAt(epochMs: number): BudgetWindow {
    const bounds = boundsOf(this.#period, epochMs);
    const window = this.#windows.get(bounds.startEpochMs) ?? {
      ...bounds,
      used: this.#load(bounds.startEpochMs),
      reserved: 0,
    };
    this.#windows.delete(window.startEpochMs);
    this.#windows.set(window.startEpochMs, window);
    if (this.#windows.size > windowsMax) this.#forgetOne();
    return window;
  }

  /** All that are remembered. */
  windows(): Iterable<BudgetWindow> {
    return this.#windows.values();
  }

  #forgetOne(): void {
    // A running request still has to find what it reserved.
    for (const [start, { reserved }] of this.#windows) {
      if (reserved > 0) continue;
      this.#windows.delete(start);
      return;
    }
  }
}

function boundsOf(period: BudgetPeriod, epochMs: number): Pick<BudgetWindow, 'startEpochMs' | 'endEpochMs'> {
  const at = new Date(epochMs);
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  return period === 'day'
    ? { startEpochMs: Date.UTC(year, month, day), endEpochMs: Date.UTC(year, month, day + 1) }
    : { startEpochMs: Date.UTC(year, month), endEpochMs: Date.UTC(year, month + 1) };
}
