/**
 * When a waiting request counts one priority class better: after each period of waiting in which somebody of a better
 * class was served. Without that condition everybody who waits long would age, and a flood of one flow would overtake
 * the fair share of all others.
 */

interface Served {
  readonly priority: number;
  readonly atMs: number;
}

/** Classes remembered; more are never in use at the same time by people who can count them. */
const classesMax = 64;

export class Ageing {
  /** Ascending by priority and by time: whoever was served later in a better or equal class makes an older one moot. */
  readonly #served: Served[] = [];

  /** A request that arrived with this priority was granted. */
  record(priority: number, nowMs: number): void {
    while ((this.#served.at(-1)?.priority ?? -Infinity) >= priority) this.#served.pop();
    this.#served.push({ priority, atMs: nowMs });
    if (this.#served.length > classesMax) this.#served.shift();
  }

  /** Whether somebody of a better class was served at this time or later. */
  wasPassed(priorityClass: number, sinceMs: number): boolean {
    const latest = this.#served.findLast((one) => one.priority < priorityClass);
    return latest !== undefined && latest.atMs >= sinceMs;
  }
}
