/**
 * How busy the GPUs behind each backend are, as the monitors of their machines tell it. Owns those monitors, one for each
 * address whatever the number of backends, and which of them speaks for whom. A silent one makes a load unknown: nothing
 * here can take a backend out of service or change what the router itself counts.
 */
import type { Clock } from '../base/clock.ts';
import { localMonitor, monitorAddress, type GpuMonitorEntry } from '../config/schema-gpu.ts';
import { gpuTotals, type HostSampler, type WatchedHost } from '../domain/host-reading.ts';
import type { BackendId } from '../domain/ids.ts';
import type { HostLog } from '../telemetry/host/gpu-watch.ts';
import { createMonitorClient, type MonitorClientOptions } from '../telemetry/host/monitor-client.ts';

export interface GpuLoadsOptions {
  readonly clock: Clock;
  readonly log: HostLog;
  /** Looks at this machine; it is not closed here. */
  readonly local: HostSampler;
  /** The load of a backend is another than before. */
  readonly onChange: (id: BackendId) => void;
  /** How often it is looked whether readings have become too old; default 1 s. */
  readonly ageCheckMs?: number;
}

export interface GpuLoadSettings {
  /** Backends whose GPUs somebody watches. */
  readonly monitors: ReadonlyMap<BackendId, GpuMonitorEntry>;
  /** Between two questions to a monitor of another machine. */
  readonly intervalMs: number;
}

/** One monitor, and for whom it speaks. */
interface Watch {
  readonly sampler: HostSampler;
  /** undefined = it is not asked, it tells. */
  readonly intervalMs: number | undefined;
  backends: readonly BackendId[];
  /** As last told to those who listen. */
  load: number | undefined;
}

const ageCheckMsDefault = 1000;

export class GpuLoads {
  readonly #options: GpuLoadsOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #local: Watch;
  readonly #offLocal: () => void;
  /** Those of other machines, by address and key. */
  #remotes = new Map<string, Watch>();
  #watchOf = new Map<BackendId, Watch>();
  /** Monitors that nobody needs any more and that still finish a question. */
  #ending: Promise<unknown> = Promise.resolve();

  constructor(options: GpuLoadsOptions) {
    const { local, ageCheckMs = ageCheckMsDefault } = options;
    this.#options = options;
    this.#local = { sampler: local, intervalMs: undefined, backends: [], load: undefined };
    this.#offLocal = local.subscribe(() => this.#refresh(this.#local));
    this.#timer = setInterval(() => {
      for (const watch of [this.#local, ...this.#remotes.values()]) this.#refresh(watch);
    }, ageCheckMs).unref();
  }

  /** Takes over another set of monitors; one that stays keeps its readings. */
  configure({ monitors, intervalMs }: GpuLoadSettings): void {
    const loadsBefore = new Map([...this.#watchOf].map(([id, { load }]) => [id, load]));
    const before = this.#remotes;
    this.#remotes = new Map();
    this.#watchOf = new Map(
      [...monitors].map(([id, entry]) => [
        id,
        entry === localMonitor ? this.#local : this.#remoteFor(entry, intervalMs, before),
      ]),
    );
    const kept = new Set(this.#remotes.values());
    const left = [...before.values()].filter((watch) => !kept.has(watch));
    this.#ending = Promise.all([this.#ending, ...left.map(({ sampler }) => sampler.close())]);
    const idsOf = Map.groupBy(this.#watchOf.keys(), (id) => this.#watchOf.get(id));
    for (const watch of [this.#local, ...kept]) {
      watch.backends = idsOf.get(watch) ?? [];
      watch.load = loadNow(watch.sampler);
    }
    for (const id of new Set([...loadsBefore.keys(), ...this.#watchOf.keys()])) {
      if (loadsBefore.get(id) !== this.loadOf(id)) this.#options.onChange(id);
    }
  }

  /** In whole percent, the mean of the GPUs of its machine; undefined = nobody tells, or not lately. */
  loadOf(id: BackendId): number | undefined {
    return this.#watchOf.get(id)?.load;
  }

  /** What was last told of its machine; undefined = nobody watches that. */
  hostOf(id: BackendId): WatchedHost | undefined {
    const watch = this.#watchOf.get(id);
    return watch && { reading: watch.sampler.latest() };
  }

  /** Resolves when nothing is asked any more. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#offLocal();
    const open = [...this.#remotes.values()].map(({ sampler }) => sampler.close());
    await Promise.all([this.#ending, ...open]);
  }

  #remoteFor(entry: GpuMonitorEntry, intervalMs: number, before: ReadonlyMap<string, Watch>): Watch {
    const url = new URL(monitorAddress(entry));
    const key = typeof entry === 'string' ? undefined : entry.apiKey;
    const name = JSON.stringify([url.href, key]);
    const known = this.#remotes.get(name) ?? before.get(name);
    const watch = known?.intervalMs === intervalMs ? known : this.#openRemote({ url, key, intervalMs });
    this.#remotes.set(name, watch);
    return watch;
  }

  #openRemote(asked: Pick<MonitorClientOptions, 'url' | 'key'> & { readonly intervalMs: number }): Watch {
    const { clock, log } = this.#options;
    const sampler = createMonitorClient({ ...asked, clock, log });
    const watch: Watch = { sampler, intervalMs: asked.intervalMs, backends: [], load: undefined };
    sampler.subscribe(() => this.#refresh(watch));
    return watch;
  }

  #refresh(watch: Watch): void {
    const load = loadNow(watch.sampler);
    if (load === watch.load) return;
    watch.load = load;
    for (const id of watch.backends) this.#options.onChange(id);
  }
}

/** Whole percents: a tenth of one is no reason to tell everybody. */
function loadNow(sampler: HostSampler): number | undefined {
  const reading = sampler.latest();
  const percent = reading && gpuTotals(reading.gpus).utilizationPercent;
  return percent === undefined ? undefined : Math.round(percent);
}
