/**
 * How busy the GPUs behind each backend are, as the monitors of their machines tell it. Owns those monitors, one for each
 * address whatever the number of backends, and which of them speaks for whom. A silent one makes a load unknown: nothing
 * here can take a backend out of service or change what the router itself counts.
 */
import type { Clock } from '../base/clock.ts';
import { localMonitor, type GpuMonitor } from '../config/schema-gpu.ts';
import { gpuTotals, type HostReading, type HostSampler, type WatchedHost } from '../domain/host-reading.ts';
import type { BackendId } from '../domain/ids.ts';
import type { HostLog } from '../telemetry/host/gpu-watch.ts';
import { createMonitorClient, type MonitorClientOptions } from '../telemetry/host/monitor-client.ts';

export interface GpuLoadsOptions {
  readonly clock: Clock;
  readonly log: HostLog;
  /** Looks at this machine; it is not closed here. */
  readonly local: HostSampler;
  /** The load of a backend is another than before, or it is not known and that of the others is. */
  readonly onChange: (id: BackendId) => void;
  /** How often it is looked whether readings have become too old; default 1 s. */
  readonly ageCheckMs?: number;
}

export interface GpuLoadSettings {
  /** Backends whose GPUs somebody watches. */
  readonly monitors: ReadonlyMap<BackendId, GpuMonitor>;
  /** Backends whose GPUs nobody watches. Default: none. */
  readonly unwatched?: Iterable<BackendId>;
  /** Between two questions to a monitor of another machine. */
  readonly intervalMs: number;
}

/** One monitor, and for whom it speaks. */
interface Watch {
  readonly sampler: HostSampler;
  /** undefined = it is not asked, it tells. */
  readonly intervalMs: number | undefined;
  backends: readonly BackendId[];
}

/** A backend, its monitor, and which GPUs of that are its own. */
interface Place {
  readonly watch: Watch;
  /** undefined = all. */
  readonly gpus: ReadonlySet<number> | undefined;
}

const ageCheckMsDefault = 1000;
/** Whoever goes by the load of others shall not be told of each percent. */
const elsewhereStepPercent = 10;

export class GpuLoads {
  readonly #options: GpuLoadsOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #local: Watch;
  readonly #offLocal: () => void;
  /** Those of other machines, by address and key. */
  #remotes = new Map<string, Watch>();
  #places = new Map<BackendId, Place>();
  /** As last told to those who listen. */
  #loads = new Map<BackendId, number | undefined>();
  #unwatched: readonly BackendId[] = [];
  #elsewhere: number | undefined;
  /** Monitors that nobody needs any more and that still finish a question. */
  #ending: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: GpuLoadsOptions) {
    const { local, ageCheckMs = ageCheckMsDefault } = options;
    this.#options = options;
    this.#local = { sampler: local, intervalMs: undefined, backends: [] };
    this.#offLocal = local.subscribe(() => this.#tell(this.#local.backends));
    this.#timer = setInterval(() => this.#tell([...this.#places.keys()]), ageCheckMs).unref();
  }

  /** Takes over another set of monitors; one that stays keeps its readings. */
  configure({ monitors, unwatched = [], intervalMs }: GpuLoadSettings): void {
    if (this.#isClosed) return;
    this.#unwatched = [...unwatched];
    const before = this.#remotes;
    this.#remotes = new Map();
    this.#places = new Map(
      [...monitors].map(([id, monitor]) => {
        const watch =
          monitor.url === localMonitor ? this.#local : this.#remoteOf(monitor, intervalMs, before);
        return [id, { watch, gpus: monitor.gpus && new Set(monitor.gpus) }];
      }),
    );
    const kept = new Set(this.#remotes.values());
    const left = [...before.values()].filter((watch) => !kept.has(watch));
    this.#ending = Promise.all([this.#ending, ...left.map(({ sampler }) => sampler.close())]);
    const idsOf = Map.groupBy(this.#places.keys(), (id) => this.#places.get(id)?.watch);
    for (const watch of [this.#local, ...kept]) watch.backends = idsOf.get(watch) ?? [];
    this.#tell([...new Set([...this.#loads.keys(), ...this.#places.keys()])]);
  }

  /** In whole percent, the mean of the GPUs that it runs on; undefined = nobody tells, or not lately. */
  loadOf(id: BackendId): number | undefined {
    return this.#loads.get(id);
  }

  /** What to take for a load that is not known: about the mean of those that are; undefined = none is. */
  get elsewhere(): number | undefined {
    return this.#elsewhere;
  }

  /** What was last told of its machine, with the GPUs that it runs on; undefined = nobody watches that. */
  hostOf(id: BackendId): WatchedHost | undefined {
    const place = this.#places.get(id);
    return place && { reading: readingFor(place) };
  }

  /** For good: monitors that come later are not asked. Resolves when nothing is asked any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#offLocal();
    const open = [...this.#remotes.values()].map(({ sampler }) => sampler.close());
    await Promise.all([this.#ending, ...open]);
  }

  #remoteOf(
    monitor: Pick<GpuMonitor, 'url' | 'apiKey'>,
    intervalMs: number,
    before: ReadonlyMap<string, Watch>,
  ): Watch {
    const url = new URL(monitor.url);
    const key = monitor.apiKey;
    const name = JSON.stringify([url.href, key]);
    const known = this.#remotes.get(name) ?? before.get(name);
    const watch = known?.intervalMs === intervalMs ? known : this.#openRemote({ url, key, intervalMs });
    this.#remotes.set(name, watch);
    return watch;
  }

  #openRemote(asked: Pick<MonitorClientOptions, 'url' | 'key'> & { readonly intervalMs: number }): Watch {
    const { clock, log } = this.#options;
    const sampler = createMonitorClient({ ...asked, clock, log });
    const watch: Watch = { sampler, intervalMs: asked.intervalMs, backends: [] };
    sampler.subscribe(() => this.#tell(watch.backends));
    return watch;
  }

  /** Looks at the loads of backends anew, and tells of those that are other than before. */
  #tell(ids: readonly BackendId[]): void {
    const changed = new Set<BackendId>();
    for (const id of ids) {
      const place = this.#places.get(id);
      const load = place && loadNow(place);
      if (load !== this.#loads.get(id)) changed.add(id);
      if (place === undefined) this.#loads.delete(id);
      else this.#loads.set(id, load);
    }
    if (changed.size > 0 && this.#elsewhereMoved()) {
      for (const [id, load] of this.#loads) if (load === undefined) changed.add(id);
      for (const id of this.#unwatched) changed.add(id);
    }
    // Whoever is told of one may ask for another.
    for (const id of changed) this.#options.onChange(id);
  }

  #elsewhereMoved(): boolean {
    const mean = meanOf([...this.#loads.values()].filter((load) => load !== undefined));
    const before = this.#elsewhere;
    this.#elsewhere =
      mean === undefined ? undefined : Math.round(mean / elsewhereStepPercent) * elsewhereStepPercent;
    return this.#elsewhere !== before;
  }
}

/** undefined = there are none. */
function meanOf(loads: readonly number[]): number | undefined {
  return loads.length === 0 ? undefined : loads.reduce((sum, load) => sum + load, 0) / loads.length;
}

function readingFor({ watch, gpus }: Place): HostReading | undefined {
  const reading = watch.sampler.latest();
  if (reading === undefined || gpus === undefined) return reading;
  return { ...reading, gpus: reading.gpus.filter(({ index }) => gpus.has(index)) };
}

/** Whole percents: a tenth of one is no reason to tell everybody. */
function loadNow(place: Place): number | undefined {
  const reading = readingFor(place);
  const percent = reading && gpuTotals(reading.gpus).utilizationPercent;
  return percent === undefined ? undefined : Math.round(percent);
}
