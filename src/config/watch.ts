/**
 * Notices that files changed, by looking at them now and then: that works for editors that write a new file over the old
 * one, for mounted ConfigMaps whose symlinks are swapped, and for network file systems. Does not load anything.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { listConfigFolder } from './read-files.ts';
import { textBytesMax } from './yaml-tree.ts';

export interface WatchOptions {
  readonly files: readonly string[];
  /**
   * Folders whose configuration files are watched, also ones that come and go. A folder that is missing or has no such
   * file is not told: it may be in the middle of being replaced.
   */
  readonly folders?: readonly string[];
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
  const { files, folders = [], intervalMs, onChange, startTimer = startSystemTimer } = options;
  const watched = [
    ...files.map((file) => new WatchedFile(file)),
    ...folders.map((folder) => new WatchedFolder(folder)),
  ];
  let closed = false;
  let stopTimer = (): void => {};

  const look = async (): Promise<void> => {
    const changed: string[] = [];
    for (const each of watched) changed.push(...(await each.changes()));
    if (closed) return;
    schedule();
    if (changed.length > 0) onChange(changed);
  };
  const schedule = (): void => {
    stopTimer = startTimer(() => void look(), intervalMs);
  };

  const ready = Promise.all(watched.map((each) => each.start())).then(() => {
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

  async changes(): Promise<string[]> {
    return (await this.hasChanged()) ? [this.name] : [];
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

/** The configuration files in a folder, as they come, change and go. */
class WatchedFolder {
  readonly #folder: string;
  #files = new Map<string, WatchedFile>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(): Promise<void> {
    for (const name of await this.#names()) {
      const file = new WatchedFile(name);
      await file.start();
      this.#files.set(name, file);
    }
  }

  async changes(): Promise<string[]> {
    const names = await this.#names();
    if (names.length === 0) return [];
    const changed: string[] = [];
    for (const name of names) {
      const file = this.#files.get(name) ?? new WatchedFile(name);
      this.#files.set(name, file);
      changed.push(...(await file.changes()));
    }
    for (const name of this.#files.keys()) {
      if (names.includes(name)) continue;
      this.#files.delete(name);
      changed.push(name);
    }
    return changed;
  }

  async #names(): Promise<string[]> {
    const names = await listConfigFolder(this.#folder).catch(() => []);
    return names.map((name) => join(this.#folder, name));
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
