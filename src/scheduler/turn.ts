/** The order in which waiting requests have their turn: priority class, then fair share, then arrival. */

export interface Turn {
  /** The request's own class, made better by ageing. Lower goes first. */
  readonly priorityClass: number;
  /** Virtual start time in its flow's fair share; 0 when the ordering is fifo. */
  readonly tag: number;
  /** Number of the arrival; unique, so the order is total. */
  readonly seq: number;
}

/** Negative when `a` has its turn before `b`. */
export function compareTurns(a: Turn, b: Turn): number {
  return a.priorityClass - b.priorityClass || a.tag - b.tag || a.seq - b.seq;
}
