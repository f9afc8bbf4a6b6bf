/** What a command may use of the process it runs in. Commands touch nothing else, so a test can run them in place. */
import type { ReadStream, WriteStream } from 'node:tty';

export interface CliIo {
  /** Writes text as it is: callers end lines themselves. */
  stdout(text: string): void;
  stderr(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute; relative file arguments start here. */
  readonly cwd: string;
}

export type Signal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

/** For commands that run until they are told to stop. */
export interface LongRunningIo extends CliIo {
  /** Whether a person reads stderr: decides the log's format. */
  readonly stderrIsTty: boolean;
  /** Returns the function that takes the listener off again. */
  onSignal(signal: Signal, listener: () => void): () => void;
  /** Undefined unless stdin and stdout both are terminals. */
  readonly terminal?: TerminalIo | undefined;
}

/** Where a person sits: keys come in, a screen goes out. */
export interface TerminalIo {
  readonly input: ReadStream;
  readonly output: WriteStream;
  /** The listener runs however the program ends, short of SIGKILL, and cannot wait for anything. Returns what takes it off again. */
  onExit(listener: () => void): () => void;
}
