/**
 * The live feed of `/api/usage-stream`: what runs and all tokens, whole each time, as server-sent events. A reader that is
 * slow skips what is outdated, so that nothing piles up and nobody waits for it.
 */
import type { AdminDeps } from './deps.ts';
import { describeUsage } from './describe-usage.ts';

export type UsageFeedDeps = Pick<AdminDeps, 'requests' | 'usage' | 'ending'>;

/** Changes within such a time are one message. */
const changeDelayMs = 100;
const heartbeatMs = 15_000;
const heartbeat = ':\n\n';

interface Reader {
  /** What it has not read yet: the newest state, or a heartbeat; '' = nothing. */
  pending: string;
  /** Wakes whoever waits for `pending`. */
  wake: (() => void) | undefined;
  closed: boolean;
}

export class UsageFeed {
  readonly #deps: UsageFeedDeps;
  readonly #readers = new Set<Reader>();
  #stop: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The last state that readers were told. */
  #told = '';

  constructor(deps: UsageFeedDeps) {
    this.#deps = deps;
  }

  /** The state now, then every change; ends when the router begins to stop. */
  open(): ReadableStream<Uint8Array> {
    const { ending } = this.#deps;
    const reader: Reader = { pending: this.#state(), wake: undefined, closed: false };
    const end = (): void => {
      ending.removeEventListener('abort', end);
      this.#close(reader);
    };
    ending.addEventListener('abort', end);
    this.#readers.add(reader);
    this.#stop ??= this.#listen();
    if (ending.aborted) end();
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          if (reader.pending === '' && !reader.closed) {
            await new Promise<void>((resolve) => {
              reader.wake = resolve;
            });
          }
          if (reader.closed) controller.close();
          else controller.enqueue(Buffer.from(reader.pending));
          reader.pending = '';
        },
        cancel: end,
      },
      { highWaterMark: 0 },
    );
  }

  /** Returns what ends it. */
  #listen(): () => void {
    const changed = (): void => {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        const state = this.#state();
        if (state === this.#told) return;
        this.#told = state;
        for (const reader of this.#readers) this.#tell(reader, state);
      }, changeDelayMs).unref();
    };
    const end = this.#deps.requests.subscribe({ changed, finished: changed });
    const beat = setInterval(() => {
      for (const reader of this.#readers) if (reader.pending === '') this.#tell(reader, heartbeat);
    }, heartbeatMs).unref();
    return () => {
      end();
      clearInterval(beat);
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  }

  #tell(reader: Reader, message: string): void {
    reader.pending = message;
    reader.wake?.();
    reader.wake = undefined;
  }

  #state(): string {
    const { requests, usage } = this.#deps;
    return `data: ${JSON.stringify(describeUsage(requests.inFlight(), usage.totals()))}\n\n`;
  }

  #close(reader: Reader): void {
    reader.closed = true;
    reader.wake?.();
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }
}
