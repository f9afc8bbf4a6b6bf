/**
 * What a process was like lately: how soon it was wanted again after it fell idle, how long it worked then, and how long a
 * load of it took. Tells for how long an idle process is better kept than swapped out. Decides nothing, keeps a few numbers.
 */

/** Enough to tell a habit from chance, few enough to forget an old one within minutes. */
const pausesMax = 16;
const pausesMin = 4;
/** A regular pause is a little longer now and then; so much of a load more is cheap. */
const graceInLoads = 1 / 16;
/** For so many cases more, in parts of all that are known, the next request never comes: the past does not promise anything. */
const doubt = 0.5;
/** The same for all: who was used once, a moment ago, is not wanted often as far as anybody knows. */
const unknownPauseMs = 60_000;
/** Share of the newest one in a running mean. */
const newestShare = 0.25;

/** What hangs on an idle process that is in the way of others. */
export interface Waiting {
  /** Requests that its place would serve. */
  readonly requests: number;
  /** Models that they are for. */
  readonly models: number;
}

export class Habits {
  /** From the first stop for its sake until it was ready, the last time; undefined = was never seen. */
  loadMs: number | undefined = undefined;
  /** From falling idle until the next request for it came, newest last. */
  readonly #pausesMs: number[] = [];
  #workMs: number | undefined;
  #busyFromMs: number | undefined;
  /** Since when nobody has wanted it. */
  #restingFromMs: number | undefined;

  /** It serves, and did not before. */
  began(nowMs: number): void {
    this.wanted(nowMs);
    this.#busyFromMs = nowMs;
  }

  /** It serves nobody any more. */
  rested(nowMs: number): void {
    if (this.#busyFromMs !== undefined) {
      const workMs = nowMs - this.#busyFromMs;
      this.#workMs =
        this.#workMs === undefined ? workMs : this.#workMs + newestShare * (workMs - this.#workMs);
    }
    this.#busyFromMs = undefined;
    this.#restingFromMs = nowMs;
  }

  /** The first request since it fell idle came, though it may not be loaded any more; further calls do nothing. */
  wanted(atMs: number): void {
    if (this.#restingFromMs === undefined) return;
    this.#pausesMs.push(Math.max(0, atMs - this.#restingFromMs));
    if (this.#pausesMs.length > pausesMax) this.#pausesMs.shift();
    this.#restingFromMs = undefined;
  }

  /** How long it usually serves before it is idle again; 0 while nobody knows. */
  get workMs(): number {
    return this.#workMs ?? 0;
  }

  /** How long nobody wants it between two uses, on average: as if it had made one pause more, which nobody knows. */
  get meanPauseMs(): number {
    return (
      this.#pausesMs.reduce((sum, pauseMs) => sum + pauseMs, unknownPauseMs) / (this.#pausesMs.length + 1)
    );
  }

  /**
   * Until when it had better wait for its next request than make room, counted from when it fell idle; 0 = it may go. That is
   * the pause of the past, longer than this one already is, for which what the request is saved (its own load, and what is
   * left then of those of the other models) outweighs most what the others wait for it.
   */
  keptForMs(restedMs: number, { requests, models }: Waiting): number {
    if (this.loadMs === undefined || this.#pausesMs.length < pausesMin) return 0;
    const graceMs = this.loadMs * graceInLoads;
    const longer = this.#pausesMs
      .map((pauseMs) => pauseMs + graceMs)
      .filter((pauseMs) => pauseMs > restedMs)
      .toSorted((one, other) => one - other);
    const cases = longer.length + doubt * this.#pausesMs.length;
    let best = { keptForMs: 0, gainMs: 0 };
    let savedMs = 0;
    let waitedMs = 0;
    for (const [index, pauseMs] of longer.entries()) {
      const leftMs = pauseMs - restedMs;
      savedMs += this.loadMs + Math.max(0, models * this.loadMs - leftMs);
      waitedMs += leftMs + this.workMs;
      const missesMs = (cases - index - 1) * leftMs;
      const gainMs = savedMs - requests * (waitedMs + missesMs);
      if (gainMs > best.gainMs) best = { keptForMs: pauseMs, gainMs };
    }
    return best.keptForMs;
  }
}
