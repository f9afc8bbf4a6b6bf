/**
 * What a child printed: the last bytes, and a live feed to any number of readers. A write never waits for a reader:
 * one that is too slow loses bytes and finds a line in their place saying how many.
 */

export interface OutputLog {
  /** Takes bytes as they came; they must not be changed afterwards. */
  write(bytes: Uint8Array): void;
  /** A copy of the last bytes, oldest first. May begin in the middle of a line. */
  history(): Buffer;
  /** The last complete or unfinished lines, oldest first, without empty ones. */
  lastLines(countMax: number): string[];
  subscribe(options?: SubscribeOptions): AsyncIterableIterator<Uint8Array>;
}

export interface SubscribeOptions {
  /** Begin with `history()`, with no byte lost or twice between the two. Default false. */
  readonly withHistory?: boolean;
  /** Bytes that may wait for this reader. Default 256 KiB. */
  readonly pendingBytesMax?: number;
  /** Ends the feed: the iterator finishes after what is pending. */
  readonly signal?: AbortSignal;
}

/** 100 KB is what llama-swap keeps of each log. */
const historyBytesDefault = 100 * 1024;

/** `bytesMax` bytes of history, allocated at the first write. */
export function createOutputLog(bytesMax: number = historyBytesDefault): OutputLog {
  const ring = createByteRing(bytesMax);
  const feeds = new Set<Feed>();
  return {
    write(bytes) {
      ring.write(bytes);
      for (const feed of feeds) feed.push(bytes);
    },
    history: () => ring.read(),
    lastLines: (countMax) => lastLinesOf(ring.read(), countMax),
    subscribe(options = {}) {
      const feed = createFeed(options, () => feeds.delete(feed));
      if (options.withHistory === true) feed.push(ring.read());
      if (options.signal?.aborted !== true) feeds.add(feed);
      return feed.iterator;
    },
  };
}

interface ByteRing {
  write(bytes: Uint8Array): void;
  read(): Buffer;
}

function createByteRing(bytesMax: number): ByteRing {
  let store: Buffer | undefined;
  let end = 0;
  let filled = 0;
  return {
    write(bytes) {
      store ??= Buffer.alloc(bytesMax);
      const kept = bytes.subarray(Math.max(0, bytes.length - bytesMax));
      const untilWrap = Math.min(kept.length, bytesMax - end);
      store.set(kept.subarray(0, untilWrap), end);
      store.set(kept.subarray(untilWrap), 0);
      end = (end + kept.length) % bytesMax;
      filled = Math.min(bytesMax, filled + kept.length);
    },
    read() {
      if (store === undefined) return Buffer.alloc(0);
      if (filled < bytesMax) return Buffer.from(store.subarray(0, filled));
      return Buffer.concat([store.subarray(end), store.subarray(0, end)]);
    },
  };
}

interface Feed {
  readonly iterator: AsyncIterableIterator<Uint8Array>;
  push(bytes: Uint8Array): void;
}

function createFeed(options: SubscribeOptions, onEnd: () => void): Feed {
  const { pendingBytesMax = 256 * 1024, signal } = options;
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let droppedBytes = 0;
  let ended = signal?.aborted === true;
  let wake = Promise.withResolvers<void>();

  function end(): void {
    ended = true;
    signal?.removeEventListener('abort', end);
    onEnd();
    wake.resolve();
  }
  signal?.addEventListener('abort', end, { once: true });

  /** Everything pending as one piece, then a drop mark in the place where the lost bytes were. */
  function take(): Uint8Array | undefined {
    const [first] = pending;
    if (first !== undefined) {
      const all = pending.length === 1 ? first : Buffer.concat(pending);
      pending = [];
      pendingBytes = 0;
      return all;
    }
    if (droppedBytes === 0) return undefined;
    const mark = Buffer.from(`\n— ${droppedBytes} bytes dropped —\n`);
    droppedBytes = 0;
    return mark;
  }

  const iterator: AsyncIterableIterator<Uint8Array> = {
    async next() {
      for (;;) {
        const value = take();
        if (value !== undefined) return { done: false, value };
        if (ended) return { done: true, value: undefined };
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
    },
    return() {
      pending = [];
      droppedBytes = 0;
      end();
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return {
    iterator,
    push(bytes) {
      if (bytes.length === 0) return;
      // Once something was dropped, everything is until the reader has taken what waits: the mark stays in its place.
      const fits =
        droppedBytes === 0 && (pendingBytes + bytes.length <= pendingBytesMax || pendingBytes === 0);
      if (fits) {
        pending.push(bytes);
        pendingBytes += bytes.length;
      } else {
        droppedBytes += bytes.length;
      }
      wake.resolve();
    },
  };
}

function lastLinesOf(bytes: Buffer, countMax: number): string[] {
  const lines = bytes
    .toString('utf8')
    .split(/\r?\n|\r/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
  return lines.slice(Math.max(0, lines.length - countMax));
}
