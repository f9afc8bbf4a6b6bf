/** Follows a file of keys: reads it when it has changed, and keeps what was read while it cannot be. Writes nothing. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readStoredKeys, type StoredKey } from './stored-keys.ts';

export interface StoredKeysWatchOptions {
  readonly path: string;
  readonly onChange: (keys: readonly StoredKey[]) => void;
  /** Told once until the file can be read again. */
  readonly onUnreadable: (error: unknown) => void;
}

const intervalMs = 500;
/** Where SQLite counts the transactions that changed the file. */
const counterAt = 24;
const counterBytes = 4;

export class StoredKeysWatch {
  readonly #options: StoredKeysWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #seen: string | undefined;
  #isUnreadable = false;

  /** Reads at once. */
  constructor(options: StoredKeysWatchOptions) {
    this.#options = options;
    this.#look();
    this.#timer = setInterval(() => this.#look(), intervalMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { path, onChange, onUnreadable } = this.#options;
    try {
      const mark = markOf(path);
      if (mark === this.#seen) return;
      const keys = readStoredKeys(path);
      this.#seen = mark;
      this.#isUnreadable = false;
      onChange(keys);
    } catch (error) {
      if (!this.#isUnreadable) onUnreadable(error);
      this.#isUnreadable = true;
    }
  }
}

/** Differs whenever the content does: a file's time alone may be the same after two changes in a row. */
function markOf(path: string): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'none';
    throw error;
  }
  try {
    const { ino, mtimeMs, size } = fstatSync(file);
    const counter = Buffer.alloc(counterBytes);
    readSync(file, counter, 0, counterBytes, counterAt);
    return `${ino} ${mtimeMs} ${size} ${counter.readUInt32BE()}`;
  } finally {
    closeSync(file);
  }
}
