/**
 * Asks all sources of GPU readings side by side and keeps what each said last. Owns when a source is asked again and what
 * the log says of one that does not work: once. No source waits for another.
 */
import type { Clock } from '../../base/clock.ts';
import type { GpuReading, GpuVendor } from '../../domain/host-reading.ts';
import type { GpuLook, GpuSource } from './gpu-source.ts';

/** Structured log; a pino logger is one. */
export interface HostLog {
  info(details: Readonly<Record<string, unknown>>, message: string): void;
  warn(details: Readonly<Record<string, unknown>>, message: string): void;
}

export interface GpuWatchOptions {
  /** The better one of two that tell of the same vendor comes first. */
  readonly sources: readonly GpuSource[];
  readonly clock: Clock;
  readonly log: HostLog;
  /** What a source said longer ago is no longer told. */
  readonly ageMsMax: number;
}

/** A tool that was not there may have been installed, a driver loaded. */
const absentRetryMs = 60_000;
const failedRetryMs = 30_000;

interface Slot {
  readonly source: GpuSource;
  asking: Promise<void> | undefined;
  askedMs: number;
  /** What became of the last question that was answered. */
  ended: GpuLook['type'] | undefined;
  gpus: readonly GpuReading[];
  /** When it told them. */
  atMs: number;
  /** Not to be asked before. */
  nextMs: number;
  hasComplained: boolean;
}

export class GpuWatch {
  readonly #options: GpuWatchOptions;
  readonly #slots: readonly Slot[];
  readonly #closing = new AbortController();

  constructor(options: GpuWatchOptions) {
    this.#options = options;
    this.#slots = options.sources.map((source) => ({
      source,
      asking: undefined,
      askedMs: -Infinity,
      ended: undefined,
      gpus: [],
      atMs: -Infinity,
      nextMs: -Infinity,
      hasComplained: false,
    }));
  }

  /** Asks the sources that are due, and gives what is known when all have answered, or after `waitMs`. Never rejects. */
  async look(waitMs: number): Promise<readonly GpuReading[]> {
    const nowMs = this.#options.clock.nowMs();
    const covered = new Set<GpuVendor>();
    for (const slot of this.#slots) {
      const isCovered = slot.source.vendors.every((vendor) => covered.has(vendor));
      if (slot.asking === undefined && slot.nextMs <= nowMs && !isCovered) this.#ask(slot, nowMs);
      for (const { vendor } of this.#fresh(slot)) covered.add(vendor);
    }
    await this.#allAnswered(waitMs);
    return this.#known();
  }

  /** Names of sources that fail or have fallen silent, unless another one tells of the same GPUs. One that is absent is fine. */
  troubled(): string[] {
    const covered = new Set(this.#known().map(({ vendor }) => vendor));
    return this.#slots
      .filter((slot) => this.#isTroubled(slot) && !slot.source.vendors.every((vendor) => covered.has(vendor)))
      .map(({ source }) => source.name);
  }

  /** Resolves when no source keeps anything running. A look that is under way ends at once. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#slots.map(({ source }) => source.close()));
  }

  /** Or it has taken long enough, or nobody wants to know any more. */
  #allAnswered(waitMs: number): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, waitMs);
      signal.addEventListener('abort', end);
      void Promise.all(this.#slots.map(async ({ asking }) => asking)).then(end);
    });
  }

  #ask(slot: Slot, nowMs: number): void {
    if (this.#closing.signal.aborted) return;
    slot.askedMs = nowMs;
    slot.nextMs = nowMs + slot.source.intervalMsMin;
    slot.asking = slot.source
      .read(this.#closing.signal)
      .catch((error: unknown): GpuLook => ({ type: 'failed', problem: String(error) }))
      .then((look) => {
        slot.asking = undefined;
        if (!this.#closing.signal.aborted) this.#answered(slot, look);
      });
  }

  #answered(slot: Slot, look: GpuLook): void {
    const nowMs = this.#options.clock.nowMs();
    slot.ended = look.type;
    if (look.type === 'read') {
      slot.gpus = look.gpus;
      slot.atMs = nowMs;
      return;
    }
    slot.nextMs = nowMs + (look.type === 'absent' ? absentRetryMs : failedRetryMs);
    if (look.type === 'absent' || slot.hasComplained) return;
    slot.hasComplained = true;
    const details = { source: slot.source.name, problem: look.problem };
    this.#options.log.warn(details, 'GPUs cannot be read from here; said once');
  }

  #fresh({ gpus, atMs, source }: Slot): readonly GpuReading[] {
    return this.#isOlder(atMs, source) ? [] : gpus;
  }

  #isTroubled({ source, ended, asking, askedMs }: Slot): boolean {
    return ended === 'failed' || (asking !== undefined && this.#isOlder(askedMs, source));
  }

  #isOlder(momentMs: number, { intervalMsMin }: GpuSource): boolean {
    const ageMsMax = Math.max(this.#options.ageMsMax, 2 * intervalMsMin);
    return this.#options.clock.nowMs() - momentMs > ageMsMax;
  }

  /** Of each vendor what the best source says. */
  #known(): GpuReading[] {
    const known: GpuReading[] = [];
    for (const slot of this.#slots) {
      const covered = new Set(known.map(({ vendor }) => vendor));
      known.push(...this.#fresh(slot).filter(({ vendor }) => !covered.has(vendor)));
    }
    return known.map((gpu, index) => ({ ...gpu, index }));
  }
}
