/** What a command may use of the process it runs in. Commands touch nothing else, so a test can run them in place. */

export interface CliIo {
  /** Writes text as it is: callers end lines themselves. */
  stdout(text: string): void;
  stderr(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute; relative file arguments start here. */
  readonly cwd: string;
}
