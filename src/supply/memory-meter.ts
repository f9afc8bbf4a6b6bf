/**
 * Measures what running models take: main memory of each process with all that it started, and GPU memory, as NVIDIA's
 * tool tells it and the kernel for other cards. Owns the time of the next round and what is said in the log; what becomes
 * of the numbers is decided elsewhere.
 */
import type { ResolvedModel, ResolvedRouting } from '../config/models.ts';
import type { ModelName } from '../domain/ids.ts';
import type { BackendLog } from '../engines/watch-context.ts';
import { readFamilies } from '../process/family.ts';
import { tryReadRamBytes } from '../process/proc-table.ts';
import type { MemoryNeed } from '../scheduler/residency/memory.ts';
import {
  tellsDrmMemory,
  tryReadDrmMemory,
  type DrmMemory,
  type DrmMemoryOptions,
} from '../telemetry/host/drm-memory.ts';
import { readGpuMemory, type GpuMemoryOptions } from '../telemetry/host/nvidia-smi.ts';
import { MeasuredNeeds } from './measured-needs.ts';

export interface RunningModel {
  readonly model: ResolvedModel;
  readonly pid: number;
}

export interface MemoryMeterOptions {
  readonly log: BackendLog;
  readonly gpu: GpuMemoryOptions;
  /** For tests: where the kernel tells of GPUs. */
  readonly drm?: DrmMemoryOptions;
  readonly platform: NodeJS.Platform;
  /** Models whose processes are ready. */
  readonly running: () => readonly RunningModel[];
  /** What is declared, and what there is: compared with what is found. */
  readonly routing: () => ResolvedRouting;
  /** More is known of what a model takes. */
  readonly onChange: (model: ModelName) => void;
  /** Default 10 s. */
  readonly intervalMs?: number;
}

const intervalMsDefault = 10_000;

/** A declaration may be wrong by so much before anybody is bothered. */
const toleratedShare = 1.1;

const resources = [
  { name: 'vram', key: 'vramBytes', shown: 'GPU memory' },
  { name: 'ram', key: 'ramBytes', shown: 'main memory' },
] as const;

export class MemoryMeter {
  readonly #options: MemoryMeterOptions;
  readonly #needs: MeasuredNeeds;
  /** Said once for each model and resource. */
  readonly #said = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #isDueAgain = false;
  readonly #closing = new AbortController();
  #hasGpuTool = true;
  #isGpuBroken = false;
  /** The tool and this router count processes alike: one that it does not list uses no GPU. */
  #seesOurs = false;

  constructor(options: MemoryMeterOptions) {
    this.#options = options;
    this.#needs = new MeasuredNeeds(options.log);
  }

  /** Takes in what an earlier router has measured, and writes on in its file. */
  open(file: string): void {
    this.#needs.open(file);
  }

  /** The most that any run of the model's command was seen to take; undefined = nothing is known. */
  needOf(model: ResolvedModel): MemoryNeed | undefined {
    return this.#needs.of(model);
  }

  /** A process became ready: measures at once, and again after each interval as long as any runs. */
  measure(): void {
    if (this.#closing.signal.aborted) return;
    if (this.#round !== undefined) {
      this.#isDueAgain = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#round = this.#measureAll()
      .catch((error: unknown) => {
        this.#sayOnce('round', { err: error }, 'Memory of models cannot be measured');
      })
      .finally(() => {
        this.#round = undefined;
        this.#plan();
      });
  }

  /** Resolves when nothing is being measured any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#round;
  }

  #plan(): void {
    if (this.#closing.signal.aborted || this.#options.running().length === 0) return;
    const delayMs = this.#isDueAgain ? 0 : (this.#options.intervalMs ?? intervalMsDefault);
    this.#isDueAgain = false;
    this.#timer = setTimeout(() => this.measure(), delayMs).unref();
  }

  async #measureAll(): Promise<void> {
    const running = this.#options.running();
    if (running.length === 0) return;
    const { platform } = this.#options;
    // It may take seconds, and main memory is not to wait for it.
    const asking = this.#readGpu();
    const families = await readFamilies(
      running.map(({ pid }) => pid),
      platform,
    );
    const familyOf = ({ pid }: RunningModel): readonly number[] => families.get(pid) ?? [];
    const told = new Map<ModelName, number | undefined>();
    for (const each of running) {
      if (platform !== 'linux') continue;
      const drm = await drmOf(familyOf(each), this.#options.drm);
      told.set(each.model.id, drm?.vramBytes);
      const ramBytes = total([await ramOf(familyOf(each)), drm?.sharedBytes ?? 0]);
      this.#record(each.model, { vramBytes: undefined, ramBytes });
    }
    const gpu = await asking;
    this.#seesOurs ||= running.flatMap(familyOf).some((pid) => gpu?.has(pid) === true);
    for (const each of running) {
      const vramBytes = this.#vramOf(this.#nvidiaOf(familyOf(each), gpu), told.get(each.model.id));
      this.#record(each.model, { vramBytes, ramBytes: undefined });
      this.#compare(each.model);
    }
  }

  /** `drm`: of the GPUs that the kernel tells of; each undefined = not told. */
  #vramOf(nvidia: number | undefined, drm: number | undefined): number | undefined {
    if (nvidia !== undefined) return nvidia + (drm ?? 0);
    // With NVIDIA's tool on the machine something may be hidden, unless it is seen that another GPU does the work.
    return this.#hasGpuTool && (drm ?? 0) === 0 ? undefined : drm;
  }

  async #readGpu(): Promise<ReadonlyMap<number, number | undefined> | undefined> {
    if (!this.#hasGpuTool) return undefined;
    const reading = await readGpuMemory({ ...this.#options.gpu, signal: this.#closing.signal });
    if (reading.type === 'absent') this.#hasGpuTool = false;
    const problem = reading.type === 'failed' ? reading.problem : undefined;
    const isNews = problem !== undefined && !this.#isGpuBroken && !this.#closing.signal.aborted;
    if (isNews)
      this.#options.log.warn({ problem }, 'GPU memory cannot be measured: nvidia-smi does not work');
    this.#isGpuBroken = problem !== undefined;
    return reading.type === 'read' ? reading.bytesByPid : undefined;
  }

  #nvidiaOf(
    pids: readonly number[],
    gpu: ReadonlyMap<number, number | undefined> | undefined,
  ): number | undefined {
    const listed = pids.filter((pid) => gpu?.has(pid) === true).map((pid) => gpu?.get(pid));
    if (listed.length === 0) return gpu !== undefined && pids.length > 0 && this.#seesOurs ? 0 : undefined;
    return total(listed);
  }

  #record(model: ResolvedModel, measured: MemoryNeed): void {
    if (this.#closing.signal.aborted) return;
    if (this.#needs.add(model, measured)) this.#options.onChange(model.id);
  }

  /** Tells of a declaration that is too small, and of a need that nobody knows. */
  #compare(model: ResolvedModel): void {
    const routing = this.#options.routing();
    if (routing.kind !== 'memory' || this.#closing.signal.aborted) return;
    const { id } = model;
    const measured = this.#needs.of(model);
    for (const { name, key, shown } of resources) {
      if (routing.budget[key] === undefined) continue;
      const declared = routing.declared.get(id)?.[key];
      const found = measured?.[key];
      if (declared !== undefined && found !== undefined && found > declared * toleratedShare) {
        const details = { model: id, declaredBytes: declared, measuredBytes: found };
        this.#sayOnce(`${id} ${name} low`, details, `Model takes more ${shown} than its memory.${name} says`);
      } else if (declared === undefined && found === undefined) {
        this.#sayOnce(
          `${id} ${name} unknown`,
          { model: id },
          `The ${shown} of the model cannot be measured, so it runs alone: set its memory.${name}`,
        );
      }
    }
  }

  #sayOnce(key: string, details: Readonly<Record<string, unknown>>, message: string): void {
    if (this.#said.has(key)) return;
    this.#said.add(key);
    this.#options.log.warn(details, message);
  }
}

/** undefined when no card tells, or nobody is left to be told of. */
async function drmOf(pids: readonly number[], options?: DrmMemoryOptions): Promise<DrmMemory | undefined> {
  if (pids.length === 0) return undefined;
  const found: DrmMemory[] = (await tellsDrmMemory(options)) ? [{ vramBytes: 0, sharedBytes: 0 }] : [];
  for (const pid of pids) {
    const memory = await tryReadDrmMemory(pid, options);
    if (memory !== undefined) found.push(memory);
  }
  if (found.length === 0) return undefined;
  return {
    vramBytes: found.reduce((sum, { vramBytes }) => sum + vramBytes, 0),
    sharedBytes: found.reduce((sum, { sharedBytes }) => sum + sharedBytes, 0),
  };
}

/** undefined when none of them could be read. */
async function ramOf(pids: readonly number[]): Promise<number | undefined> {
  const found: number[] = [];
  for (const pid of pids) {
    const bytes = await tryReadRamBytes(pid);
    if (bytes !== undefined) found.push(bytes);
  }
  return found.length === 0 ? undefined : total(found);
}

/** undefined when any part is. */
function total(amounts: readonly (number | undefined)[]): number | undefined {
  let sum = 0;
  for (const amount of amounts) {
    if (amount === undefined) return undefined;
    sum += amount;
  }
  return sum;
}
