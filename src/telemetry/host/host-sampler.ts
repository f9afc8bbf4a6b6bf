/**
 * Looks at this machine again and again. Owns the timer and the newest reading. Looks never overlap, and a source that
 * hangs costs its own values alone.
 */
import type { Clock } from '../../base/clock.ts';
import { readingAgeMsMax, type HostReading, type HostSampler } from '../../domain/host-reading.ts';
import { createGpuSources, type GpuSourceOptions } from './gpu-sources.ts';
import { GpuWatch, type HostLog } from './gpu-watch.ts';
import { SystemReader, type SystemReaderOptions } from './system-reader.ts';

export interface HostSamplerOptions extends GpuSourceOptions, SystemReaderOptions {
  readonly clock: Clock;
  readonly log: HostLog;
  readonly intervalMs: number;
}

/** GPUs that have not answered by then are told as they were before. */
const gpuWaitMsMax = 2000;

export interface LocalHostSampler extends HostSampler {
  /** Tools and drivers that should tell of GPUs and do not, by name. */
  troubledGpuSources(): readonly string[];
}

/** Begins at once. Its timer does not keep the process alive. */
export function createHostSampler(options: HostSamplerOptions): LocalHostSampler {
  return new LocalSampler(options);
}

class LocalSampler implements LocalHostSampler {
  readonly #options: HostSamplerOptions;
  readonly #system: SystemReader;
  readonly #gpus: GpuWatch;
  readonly #listeners = new Set<(reading: HostReading) => void>();
  readonly #timer: NodeJS.Timeout;
  readonly #ageMsMax: number;
  #looking: Promise<void> | undefined;
  #latest: { readonly reading: HostReading; readonly atMs: number } | undefined;
  #isClosed = false;

  constructor(options: HostSamplerOptions) {
    const { clock, log, intervalMs } = options;
    this.#options = options;
    this.#ageMsMax = Math.max(readingAgeMsMax, 3 * intervalMs);
    this.#system = new SystemReader(options);
    this.#gpus = new GpuWatch({
      sources: createGpuSources(options),
      clock,
      log,
      ageMsMax: this.#ageMsMax,
    });
    this.#timer = setInterval(() => this.#tick(), intervalMs).unref();
    this.#tick();
  }

  latest(): HostReading | undefined {
    if (this.#latest === undefined) return undefined;
    const ageMs = this.#options.clock.nowMs() - this.#latest.atMs;
    return ageMs <= this.#ageMsMax ? this.#latest.reading : undefined;
  }

  troubledGpuSources(): readonly string[] {
    return this.#gpus.troubled();
  }

  subscribe(listener: (reading: HostReading) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#gpus.close();
    await this.#looking;
  }

  #tick(): void {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
  }

  async #look(): Promise<void> {
    const { clock, intervalMs } = this.#options;
    // The first look waits for tools that need a second to start; later ones have something to tell meanwhile.
    const waitMs = this.#latest === undefined ? gpuWaitMsMax : Math.min(intervalMs / 2, gpuWaitMsMax);
    const [system, gpus] = await Promise.all([this.#system.read(), this.#gpus.look(waitMs)]);
    if (this.#isClosed) return;
    const reading = { atEpochMs: clock.epochMs(), system, gpus };
    this.#latest = { reading, atMs: clock.nowMs() };
    for (const listener of this.#listeners) listener(reading);
  }
}
