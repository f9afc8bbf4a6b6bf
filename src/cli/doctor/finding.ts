/** What a check found: the words and levels that all checks share. Knows nothing of what is checked or how it is shown. */

/** `note`: good to know. `warning`: it works, but worse than it could. `error`: requests will fail. */
export const levels = ['ok', 'note', 'warning', 'error'] as const;
export type Level = (typeof levels)[number];

export interface Finding {
  readonly level: Level;
  /** Which one of several: a backend, a model, an address, a path; undefined = the machine or the file as a whole. */
  readonly subject: string | undefined;
  /** What was seen. */
  readonly saw: string;
  /** What to change, as one would write it; undefined = nothing. */
  readonly change: string | undefined;
}

export function good(subject: string | undefined, saw: string): Finding {
  return { level: 'ok', subject, saw, change: undefined };
}

/** Good to know, with nothing to change. */
export function remark(subject: string | undefined, saw: string): Finding {
  return { level: 'note', subject, saw, change: undefined };
}

export interface Fault {
  readonly level: Exclude<Level, 'ok'>;
  readonly saw: string;
  readonly change: string;
}

export function fault(subject: string | undefined, { level, saw, change }: Fault): Finding {
  return { level, subject, saw, change };
}
