/**
 * The readings of this machine over the last hour, at the interval that the configuration says; whoever balances by them
 * hears of more. Owns the sampler and replaces it when the configuration changes; who reads or listens notices nothing.
 */
import { createRingBuffer, type RingBuffer } from '../../base/ring-buffer.ts';
import type { GpuReading, HostReading, HostSampler } from '../../domain/host-reading.ts';
import { createGpuSources } from './gpu-sources.ts';
import { GpuWatch } from './gpu-watch.ts';
import { readHardware, type Hardware } from './hardware.ts';
import { createHostSampler, type HostSamplerOptions } from './host-sampler.ts';

export interface PerformanceSettings {
  readonly disabled: boolean;
  /** Between two readings that are kept, in ms. */
  readonly every: number;
  /** Longest time between two looks, in ms, for those who listen; default: `every`. */
  readonly lookEvery?: number;
}

export type PerformanceMonitorOptions = Omit<HostSamplerOptions, 'intervalMs'>;

const historyMs = 3_600_000;
/** For the tools of vendors to tell what GPUs there are. */
const hardwareMsMax = 10_000;

export class PerformanceMonitor implements HostSampler {
  readonly #options: PerformanceMonitorOptions;
  readonly #listeners = new Set<(reading: HostReading) => void>();
  #sampler:
    | { readonly host: HostSampler; readonly everyMs: number; readonly looksPerReading: number }
    | undefined;
  #readings: RingBuffer<HostReading> = createRingBuffer<HostReading>(1);
  /** Samplers that were replaced and still end their tools. */
  #ending: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: PerformanceMonitorOptions) {
    this.#options = options;
  }

  /** False: nothing is looked at. */
  get enabled(): boolean {
    return this.#sampler !== undefined;
  }

  /** Takes over settings; readings that there are stay unless it is switched off. */
  configure({ disabled, every, lookEvery = every }: PerformanceSettings): void {
    const looksPerReading = Math.ceil(every / lookEvery);
    const isAsBefore = this.#sampler?.everyMs === every && this.#sampler.looksPerReading === looksPerReading;
    if (this.#isClosed || (!disabled && isAsBefore)) return;
    const replaced = this.#sampler?.host.close();
    this.#ending = Promise.all([this.#ending, replaced]);
    this.#sampler = undefined;
    if (disabled) {
      this.#readings = createRingBuffer<HostReading>(1);
      return;
    }
    const kept = [...this.#readings.newestFirst()].reverse();
    this.#readings = createRingBuffer<HostReading>(Math.ceil(historyMs / every));
    for (const reading of kept) this.#readings.push(reading);
    const host = createHostSampler({ ...this.#options, intervalMs: Math.ceil(every / looksPerReading) });
    let looks = 0;
    host.subscribe((reading) => {
      if (looks % looksPerReading === 0) this.#readings.push(reading);
      looks += 1;
      for (const listener of this.#listeners) listener(reading);
    });
    this.#sampler = { host, everyMs: every, looksPerReading };
  }

  latest(): HostReading | undefined {
    return this.#sampler?.host.latest();
  }

  subscribe(listener: (reading: HostReading) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** From the oldest to the newest, of those that are newer than a moment. */
  readonly history = (afterEpochMs = -Infinity): readonly HostReading[] => {
    const newer: HostReading[] = [];
    for (const reading of this.#readings.newestFirst()) {
      if (reading.atEpochMs <= afterEpochMs) break;
      newer.push(reading);
    }
    return newer.reverse();
  };

  /** What the machine is made of, also when nobody looks at what it does. */
  readonly hardware = async (): Promise<Hardware> => {
    const { platform } = this.#options;
    return readHardware({ platform, gpus: this.latest()?.gpus ?? (await this.#lookForGpus()) });
  };

  /** For good: a configuration that comes later starts nothing. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const { host } = this.#sampler ?? {};
    this.#sampler = undefined;
    await Promise.all([this.#ending, host?.close()]);
  }

  async #lookForGpus(): Promise<readonly GpuReading[]> {
    const sources = createGpuSources({ ...this.#options, intervalMs: 1000 });
    const watch = new GpuWatch({ ...this.#options, sources, ageMsMax: hardwareMsMax });
    const gpus = await watch.look(hardwareMsMax);
    await watch.close();
    return gpus;
  }
}
