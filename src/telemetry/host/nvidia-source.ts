/**
 * NVIDIA GPUs: one `nvidia-smi` that prints for as long as anybody asks. A field that the driver does not know is left
 * out from then on; a GPU that is no longer told of is gone.
 */
import type { Clock } from '../../base/clock.ts';
import type { GpuReading } from '../../domain/host-reading.ts';
import type { GpuLook, GpuSource } from './gpu-source.ts';
import {
  gpuFields,
  gpuLoopArgs,
  nvidiaSmi,
  saysNoGpu,
  tryParseGpuLine,
  tryRefusedField,
  type GpuField,
} from './nvidia-smi.ts';
import { ToolLoop } from './tool-loop.ts';

export interface NvidiaSourceOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** Between two lines of one GPU. */
  readonly intervalMs: number;
  /** Default 5 s: the first line may take two. */
  readonly firstLineMsMax?: number;
  /** For tests: the pause before a new start. */
  readonly pauseMs?: number;
}

const firstLineMsMaxDefault = 5000;

export function createNvidiaSource(options: NvidiaSourceOptions): GpuSource {
  return new NvidiaSource(options);
}

class NvidiaSource implements GpuSource {
  readonly name = nvidiaSmi;
  readonly vendors = ['nvidia'] as const;
  readonly intervalMsMin = 0;
  readonly #options: NvidiaSourceOptions;
  readonly #gpus = new Map<number, { readonly gpu: GpuReading; readonly atMs: number }>();
  readonly #loop: ToolLoop;
  #fields: readonly GpuField[] = gpuFields;
  /** The tool ends because of a field that it is not asked for again. */
  #hasRefused = false;
  /** How the tool ended; undefined while it is not known to have. */
  #end: Exclude<GpuLook, { type: 'read' }> | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(options: NvidiaSourceOptions) {
    this.#options = options;
    const { env, intervalMs, pauseMs } = options;
    this.#loop = new ToolLoop({
      program: nvidiaSmi,
      args: () => gpuLoopArgs(this.#fields, intervalMs),
      env,
      silenceMsMax: 3 * intervalMs + (options.firstLineMsMax ?? firstLineMsMaxDefault),
      onLines: (lines) => this.#take(lines),
      onEnd: (end) => this.#ended(end),
      ...(pauseMs === undefined ? {} : { pauseMs }),
    });
  }

  async read(signal: AbortSignal): Promise<GpuLook> {
    if (this.#end?.type === 'absent') this.#end = undefined;
    this.#loop.start();
    if (this.#fresh().length === 0 && this.#end === undefined) await this.#news(signal);
    const gpus = this.#fresh();
    if (gpus.length > 0) return { type: 'read', gpus };
    return this.#end ?? { type: 'failed', problem: 'no answer yet' };
  }

  async close(): Promise<void> {
    for (const wake of this.#waiting) wake();
    await this.#loop.close();
  }

  #take(lines: readonly string[]): void {
    const atMs = this.#options.clock.nowMs();
    for (const line of lines) {
      const refused = tryRefusedField(line);
      if (refused !== undefined) this.#refuse(refused);
      if (saysNoGpu(line)) this.#end = { type: 'absent' };
      const gpu = tryParseGpuLine(line, this.#fields);
      if (gpu === undefined) continue;
      this.#gpus.set(gpu.index, { gpu, atMs });
      this.#end = undefined;
      this.#loop.works();
    }
    if (this.#gpus.size > 0) this.#wake();
  }

  #ended(end: Exclude<GpuLook, { type: 'read' }>): 'now' | 'later' | 'never' {
    if (this.#hasRefused) {
      this.#hasRefused = false;
      return 'now';
    }
    const isAbsent = end.type === 'absent' || this.#end?.type === 'absent';
    this.#end = isAbsent ? { type: 'absent' } : end;
    this.#wake();
    return isAbsent ? 'never' : 'later';
  }

  #refuse(field: GpuField): void {
    this.#hasRefused = this.#fields.includes(field) && field !== 'index' && field !== 'name';
    if (this.#hasRefused) this.#fields = this.#fields.filter((each) => each !== field);
  }

  /** In the order of their numbers. */
  #fresh(): GpuReading[] {
    const ageMsMax = 3 * this.#options.intervalMs + 1000;
    const oldestMs = this.#options.clock.nowMs() - ageMsMax;
    for (const [index, { atMs }] of this.#gpus) if (atMs < oldestMs) this.#gpus.delete(index);
    return [...this.#gpus.values()].map(({ gpu }) => gpu).sort((one, other) => one.index - other.index);
  }

  /** Until a line comes, the tool ends, or it takes too long. */
  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, this.#options.firstLineMsMax ?? firstLineMsMaxDefault);
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}
