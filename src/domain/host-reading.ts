/**
 * What one look at a machine tells: processor, memory, network, disk and GPUs. Who looks, and how, is known elsewhere.
 * Everywhere `undefined` means that nobody could tell, never zero.
 */

export const gpuVendors = ['nvidia', 'amd', 'intel', 'apple'] as const;
export type GpuVendor = (typeof gpuVendors)[number];

export interface HostReading {
  readonly atEpochMs: number;
  /** undefined = only the GPUs of that machine are told. */
  readonly system: SystemReading | undefined;
  readonly gpus: readonly GpuReading[];
}

export interface SystemReading {
  /** Busy share of each core since the reading before, 0 to 100. Empty in the first reading. */
  readonly cpuPercentByCore: readonly number[];
  readonly memory: MemoryReading;
  readonly swap: MemoryReading | undefined;
  /** Over one, five and fifteen minutes. */
  readonly loadAverages: readonly [number, number, number] | undefined;
  readonly network: readonly NetworkReading[];
  readonly disk: DiskReading | undefined;
}

export interface MemoryReading {
  readonly totalBytes: number;
  /** Without what the system would give back when asked, such as caches of files. */
  readonly usedBytes: number;
}

/** Counted since the interface came up. */
export interface NetworkReading {
  readonly name: string;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** The file system that holds a folder. */
export interface DiskReading {
  readonly folder: string;
  readonly totalBytes: number;
  /** For programs that are not the superuser's. */
  readonly freeBytes: number;
}

export interface GpuReading {
  /** Position in the reading, from 0 on. */
  readonly index: number;
  readonly vendor: GpuVendor;
  readonly name: string;
  readonly uuid: string | undefined;
  /** `Hopper`, `gfx1100` … */
  readonly architecture: string | undefined;
  readonly driver: { readonly name: string; readonly version: string | undefined } | undefined;
  /** Unified: it uses the main memory. */
  readonly memoryKind: 'dedicated' | 'unified' | 'unknown';
  /** Share of the time in which it did anything, 0 to 100. */
  readonly utilizationPercent: number | undefined;
  /** Share of the time in which its memory was read or written, 0 to 100. */
  readonly memoryBusyPercent: number | undefined;
  readonly memoryUsedBytes: number | undefined;
  readonly memoryTotalBytes: number | undefined;
  readonly temperatureCelsius: number | undefined;
  readonly memoryTemperatureCelsius: number | undefined;
  readonly powerWatts: number | undefined;
  readonly powerLimitWatts: number | undefined;
  readonly clockMhz: number | undefined;
  readonly memoryClockMhz: number | undefined;
  readonly fanPercent: number | undefined;
}

/** All GPUs that do the work of a host as if they were one. */
export interface GpuTotals {
  readonly count: number;
  /** Mean of those that tell. */
  readonly utilizationPercent: number | undefined;
  readonly memoryUsedBytes: number | undefined;
  readonly memoryTotalBytes: number | undefined;
  /** Of the hottest one. */
  readonly temperatureCelsius: number | undefined;
  readonly powerWatts: number | undefined;
}

/** Where one looks at a machine again and again: at this one, or by way of a monitor at another. */
export interface HostSampler {
  /** undefined = there is none that is young enough to be believed. */
  latest(): HostReading | undefined;
  /** Called with each new reading. Returns the function that ends the subscription. */
  subscribe(listener: (reading: HostReading) => void): () => void;
  /** Resolves when nothing of it runs any more. */
  close(): Promise<void>;
}

/** A machine that somebody looks at. */
export interface WatchedHost {
  /** undefined = there is none that is young enough to be believed. */
  readonly reading: HostReading | undefined;
}

/** A reading that is older says nothing about now. */
export const readingAgeMsMax = 10_000;

/** A GPU that nothing else is known of. */
export function unknownGpu(known: Pick<GpuReading, 'index' | 'vendor' | 'name'>): GpuReading {
  return {
    ...known,
    uuid: undefined,
    architecture: undefined,
    driver: undefined,
    memoryKind: 'unknown',
    utilizationPercent: undefined,
    memoryBusyPercent: undefined,
    memoryUsedBytes: undefined,
    memoryTotalBytes: undefined,
    temperatureCelsius: undefined,
    memoryTemperatureCelsius: undefined,
    powerWatts: undefined,
    powerLimitWatts: undefined,
    clockMhz: undefined,
    memoryClockMhz: undefined,
    fanPercent: undefined,
  };
}

/**
 * Sums, mean and maximum. A GPU with less than an eighth of the memory of the largest one drives a display and is left
 * out: it would halve the mean of a host that is fully busy.
 */
export function gpuTotals(gpus: readonly GpuReading[]): GpuTotals {
  const largestBytes = Math.max(0, ...gpus.map(({ memoryTotalBytes }) => memoryTotalBytes ?? 0));
  const working = gpus.filter(({ memoryTotalBytes }) => (memoryTotalBytes ?? 0) >= largestBytes / 8);
  const known = (field: NumericField): number[] =>
    working.map((gpu) => gpu[field]).filter((value) => value !== undefined);
  const utilizations = known('utilizationPercent');
  const utilizationSum = trySum(utilizations);
  const temperatures = known('temperatureCelsius');
  return {
    count: working.length,
    utilizationPercent: utilizationSum === undefined ? undefined : utilizationSum / utilizations.length,
    memoryUsedBytes: trySum(known('memoryUsedBytes')),
    memoryTotalBytes: trySum(known('memoryTotalBytes')),
    temperatureCelsius: temperatures.length === 0 ? undefined : Math.max(...temperatures),
    powerWatts: trySum(known('powerWatts')),
  };
}

type NumericField =
  | 'utilizationPercent'
  | 'memoryUsedBytes'
  | 'memoryTotalBytes'
  | 'temperatureCelsius'
  | 'powerWatts';

function trySum(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}
