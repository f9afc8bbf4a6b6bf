/**
 * Lines of the log on their way to a file descriptor, many at a time. Whatever becomes of the descriptor, the program goes
 * on: lines that cannot be written are dropped, and counted. Knows nothing of what a line says.
 */
import { write, writeSync } from 'node:fs';

export interface LogFile {
  /** Like those of node:fs: begin anywhere in `bytes`, and write as much as fits. */
  write(
    bytes: Uint8Array,
    offset: number,
    done: (error: NodeJS.ErrnoException | null, written: number) => void,
  ): void;
  writeSync(bytes: Uint8Array, offset: number): number;
}

/** Lines wait for others until they are as many characters, or as old. */
const batchLength = 32 * 1024;
const batchMs = 100;
/** What is kept for a reader that has stopped reading. */
const heldLengthMax = 4 * 1024 * 1024;

/** How often, and how long, the last lines wait for a reader that is slower than they come. */
const pausesMax = 50;
const pauseMs = 10;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

export function logFile(fd: number): LogFile {
  return {
    write: (bytes, offset, done) => write(fd, bytes, offset, done),
    writeSync: (bytes, offset) => writeSync(fd, bytes, offset),
  };
}

export class LogLines {
  readonly #file: LogFile;
  #held = '';
  #timer: NodeJS.Timeout | undefined;
  #isWriting = false;
  #isGone = false;
  #lost = 0;
  /** Of those, the ones since something was written. */
  #lostSince = 0;
  #onResume: (lost: number) => void = () => {};

  constructor(file: LogFile) {
    this.#file = file;
  }

  /** Lines that were dropped. */
  get lost(): number {
    return this.#lost;
  }

  /** Called when lines can be written again, with how many were dropped before; in place of an earlier listener. */
  onResume(listener: (lost: number) => void): void {
    this.#onResume = listener;
  }

  /** Never throws; beyond what is kept, the line is dropped. */
  write(line: string): void {
    if (this.#isGone || this.#held.length + line.length > heldLengthMax) {
      this.#lose(line);
      return;
    }
    this.#held += line;
    if (this.#held.length >= batchLength) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), batchMs).unref();
  }

  /** Writes what is held before it returns: for the end of the process. Gives up where that cannot be done in half a second. */
  flush(): void {
    const bytes = this.#take();
    let offset = 0;
    for (let pauses = 0; offset < bytes.length && pauses < pausesMax;) {
      try {
        offset += this.#file.writeSync(bytes, offset);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
        pauses += 1;
        Atomics.wait(sleeper, 0, 0, pauseMs);
      }
    }
  }

  #send(): void {
    if (!this.#isWriting && this.#held !== '') this.#writeFrom(this.#take(), 0);
  }

  #take(): Buffer {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const bytes = Buffer.from(this.#held);
    this.#held = '';
    return bytes;
  }

  #writeFrom(bytes: Buffer, offset: number): void {
    this.#isWriting = true;
    this.#file.write(bytes, offset, (error, written) => {
      const next = error === null ? offset + written : offset;
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.#writeFrom(bytes, next), batchMs).unref();
      } else if (error === null && next < bytes.length) this.#writeFrom(bytes, next);
      else {
        this.#isWriting = false;
        if (error === null) this.#resumed();
        else this.#lose(bytes.toString('utf8', next));
        // A pipe whose reader has gone never gets another one; a full disk may have room again.
        if (error?.code === 'EPIPE') {
          this.#isGone = true;
          this.#lose(this.#held);
          this.#held = '';
        }
        this.#send();
      }
    });
  }

  #lose(text: string): void {
    const lines = text.split('\n').length - 1;
    this.#lost += lines;
    this.#lostSince += lines;
  }

  #resumed(): void {
    const lost = this.#lostSince;
    if (lost === 0) return;
    this.#lostSince = 0;
    this.#onResume(lost);
  }
}
