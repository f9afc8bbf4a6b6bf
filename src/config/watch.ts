/**
 * Notices that files changed, by looking at them now and then: that works for editors that write a new file over the old
 * one, for mounted ConfigMaps whose symlinks are swapped, and for network file systems. Does not load anything.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { textBytesMax } from './yaml-tree.ts';

export interface WatchOptions {
  readonly files: readonly string[];
  /** Time between two looks. A change is told when the next look finds the file at rest, so after one to two of these. */
  readonly intervalMs: number;
  /** Called with the files whose content differs from what was last told; one that went away counts too. Must not throw. */
  readonly onChange: (files: readonly string[]) => void;
  /** For tests; default: an unreferenced setTimeout. Returns what stops it. */
  readonly startTimer?: (run: () => void, delayMs: number) => () => void;
}

export interface FileWatcher {
  /**
   * Settles when the starting state of the files is known: only later changes are told. Load the files after this, so
   * that no change falls between.
   */
  readonly ready: Promise<void>;
  /** No call of onChange begins after this. */
  close(): void;
}

/** Begins to watch. Never fails: a file that is not there yet is told when it appears. */
export function watchFiles(options: WatchOptions): FileWatcher {
  const { files, intervalMs, onChange, startTimer = startSystemTimer } = options;
  const watched = files.map((file) => new WatchedFile(file));
  let closed = false;
  let stopTimer = (): void => {};

  const look = async (): Promise<void> => {
    const changed: string[] = [];
    for (const file of watched) if (await file.hasChanged()) changed.push(file.name);
    if (closed) return;
    schedule();
    if (changed.length > 0) onChange(changed);
  };
  const schedule = (): void => {
    stopTimer = startTimer(() => void look(), intervalMs);
  };

  const ready = Promise.all(watched.map((file) => file.start())).then(() => {
    if (!closed) schedule();
  });
  return {
    ready,
    close() {
      closed = true;
      stopTimer();
    },
  };
}

/** One file: what it looked like at the last look, and the content that was last told. */
class WatchedFile {
  readonly name: string;
  #stamp = '';
  #hash = '';
  #settling = false;

  constructor(name: string) {
    this.name = name;
  }

  async start(): Promise<void> {
    this.#stamp = await stampOf(this.name);
    this.#hash = await hashOf(this.name);
  }

  /** The content is read one look after the last sign of change, when a writer is done with it. */
  async hasChanged(): Promise<boolean> {
    const stamp = await stampOf(this.name);
    if (stamp !== this.#stamp) {
      this.#stamp = stamp;
      this.#settling = true;
      return false;
    }
    if (!this.#settling) return false;
    this.#settling = false;
    const hash = await hashOf(this.name);
    if (hash === this.#hash) return false;
    this.#hash = hash;
    return true;
  }
}

/** Follows symlinks. The inode and the change time also move where size and modification time stay the same. */
async function stampOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch {
    return 'absent';
  }
}

async function hashOf(file: string): Promise<string> {
  try {
    // A file that is too large to be a configuration is told by its stamp alone.
    if ((await stat(file)).size > textBytesMax) return await stampOf(file);
    return createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  } catch {
    return 'absent';
  }
}

function startSystemTimer(run: () => void, delayMs: number): () => void {
  const timer = setTimeout(run, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}
