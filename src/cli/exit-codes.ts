/** How the program ends: the numbers of sysexits.h beside 0 and 1, so that scripts and service managers can tell the cases apart. */

export const exitCodes = {
  /** Done, or stopped as asked. */
  ok: 0,
  /** What was looked for was found: errors, in the case of `doctor`. */
  found: 1,
  /** Wrong command line. */
  usage: 64,
  /** A file named on the command line cannot be read. */
  noInput: 66,
  /** Something needed is not there: a port that is taken, a Node that is too old, no engine found, no router that does what it is asked. */
  unavailable: 69,
  /** A fault of the program itself. */
  internal: 70,
  /** The configuration has an error; running on would only repeat it. */
  config: 78,
  /** Stopped by a signal before it was done: 128 and SIGINT's number, as shells have it. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
