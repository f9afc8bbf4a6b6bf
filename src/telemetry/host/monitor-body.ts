/**
 * What a monitor answers to `GET /metrics`: first the members that ollama-lb's sidecar has, so that either may stand in
 * for the other, then the whole reading in `host`. The one description for both sides of the line.
 */
import { z } from 'zod';
import {
  gpuTotals,
  gpuVendors,
  unknownGpu,
  type GpuReading,
  type HostReading,
  type SystemReading,
} from '../../domain/host-reading.ts';

/** A reading without its moment: clocks of two machines differ, so its age is told. */
export interface MonitorAnswer {
  readonly reading: Omit<HostReading, 'atEpochMs'>;
  readonly ageMs: number;
}

/** Names, units and order are ollama-lb's: percent, gigabytes of 2^30 bytes, degrees Celsius. */
export interface SidecarMembers {
  readonly gpus: readonly SidecarGpu[];
  readonly gpu_count: number;
  readonly gpu_utilization: number;
  readonly gpu_memory_used_gb: number;
  readonly gpu_memory_total_gb: number;
  readonly gpu_temperature: number;
}

export interface SidecarGpu {
  readonly index: number;
  readonly name: string;
  readonly utilization: number;
  readonly memory_used_gb: number;
  readonly memory_total_gb: number;
  readonly temperature: number;
}

const GiB = 2 ** 30;

/** Members of `host` that nobody can tell are left out. */
export function monitorBody(reading: HostReading, ageMs: number): object {
  const { system, gpus } = reading;
  return {
    // Of an engine, which is nobody's business here.
    active_requests: 0,
    ...sidecarMembers(gpus),
    host: renameKeys({ ageMs: Math.round(ageMs), system, gpus }, toSnake),
  };
}

/** GPUs as ollama-lb tells them. What nobody can tell is 0, for its readers take nothing else. */
export function sidecarMembers(gpus: readonly GpuReading[]): SidecarMembers {
  const totals = gpuTotals(gpus);
  return {
    gpus: gpus.map((gpu) => ({
      index: gpu.index,
      name: gpu.name,
      utilization: Math.round(gpu.utilizationPercent ?? 0),
      memory_used_gb: inGigabytes(gpu.memoryUsedBytes),
      memory_total_gb: inGigabytes(gpu.memoryTotalBytes),
      temperature: Math.round(gpu.temperatureCelsius ?? 0),
    })),
    gpu_count: gpus.length,
    gpu_utilization: Math.round(totals.utilizationPercent ?? 0),
    gpu_memory_used_gb: inGigabytes(totals.memoryUsedBytes),
    gpu_memory_total_gb: inGigabytes(totals.memoryTotalBytes),
    gpu_temperature: Math.round(totals.temperatureCelsius ?? 0),
  };
}

/** Also takes the answers of ollama-lb's sidecar, which tell of GPUs alone. Throws a ZodError when it is something else. */
export function parseMonitorBody(body: unknown): MonitorAnswer {
  const { host, gpus, ...sums } = bodySchema.parse(body);
  if (host !== undefined) {
    const { ageMs, ...reading } = hostSchema.parse(renameKeys(host, toCamel));
    return {
      reading: { system: completeSystem(reading.system), gpus: reading.gpus.map(completeGpu) },
      ageMs,
    };
  }
  // Its first version knows no list, only the sums.
  const told = gpus ?? [
    {
      name: 'GPU',
      utilization: sums.gpu_utilization,
      memory_used_gb: sums.gpu_memory_used_gb,
      memory_total_gb: sums.gpu_memory_total_gb,
      temperature: sums.gpu_temperature,
    },
  ];
  return { reading: { system: undefined, gpus: told.map(fromSidecar) }, ageMs: 0 };
}

const amount = z.number().min(0);
const known = amount.optional();

const sidecarGpuSchema = z.object({
  name: z.string(),
  utilization: amount.max(100),
  memory_used_gb: amount,
  memory_total_gb: amount,
  temperature: z.number(),
});

const bodySchema = z.object({
  gpus: z.array(sidecarGpuSchema).max(1000).optional(),
  gpu_utilization: amount.max(100),
  gpu_memory_used_gb: amount,
  gpu_memory_total_gb: amount,
  gpu_temperature: z.number(),
  host: z.unknown().optional(),
});

const memorySchema = z.object({ totalBytes: amount, usedBytes: amount });

const hostSchema = z.object({
  ageMs: amount,
  system: z
    .object({
      cpuPercentByCore: z.array(amount.max(100)),
      memory: memorySchema,
      swap: memorySchema.optional(),
      loadAverages: z.tuple([amount, amount, amount]).optional(),
      network: z.array(z.object({ name: z.string(), receivedBytes: amount, sentBytes: amount })),
      disk: z.object({ folder: z.string(), totalBytes: amount, freeBytes: amount }).optional(),
    })
    .optional(),
  gpus: z
    .array(
      z.object({
        index: z.int().min(0),
        vendor: z.enum(gpuVendors),
        name: z.string(),
        uuid: z.string().optional(),
        architecture: z.string().optional(),
        driver: z.object({ name: z.string(), version: z.string().optional() }).optional(),
        memoryKind: z.enum(['dedicated', 'unified', 'unknown']),
        utilizationPercent: known,
        memoryBusyPercent: known,
        memoryUsedBytes: known,
        memoryTotalBytes: known,
        temperatureCelsius: z.number().optional(),
        memoryTemperatureCelsius: z.number().optional(),
        powerWatts: known,
        powerLimitWatts: known,
        clockMhz: known,
        memoryClockMhz: known,
        fanPercent: known,
      }),
    )
    .max(1000),
});

type Told = z.infer<typeof hostSchema>;

function completeSystem(system: Told['system']): SystemReading | undefined {
  if (system === undefined) return undefined;
  const { swap, loadAverages, disk } = system;
  return { ...system, swap, loadAverages, disk };
}

function completeGpu({ driver, ...gpu }: Told['gpus'][number]): GpuReading {
  return {
    ...unknownGpu(gpu),
    ...gpu,
    driver: driver === undefined ? undefined : { name: driver.name, version: driver.version },
  };
}

/** It knows NVIDIA alone. */
function fromSidecar(gpu: z.infer<typeof sidecarGpuSchema>, index: number): GpuReading {
  return {
    ...unknownGpu({ index, vendor: 'nvidia', name: gpu.name }),
    utilizationPercent: gpu.utilization,
    memoryUsedBytes: Math.round(gpu.memory_used_gb * GiB),
    memoryTotalBytes: Math.round(gpu.memory_total_gb * GiB),
    temperatureCelsius: gpu.temperature,
  };
}

/** Three decimals are megabytes. */
function inGigabytes(bytes: number | undefined): number {
  return Math.round(((bytes ?? 0) / GiB) * 1000) / 1000;
}

/** In all objects of a tree of JSON. */
function renameKeys(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((each) => renameKeys(each, rename));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([key, each]) => [rename(key), renameKeys(each, rename)]));
}

function toSnake(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function toCamel(key: string): string {
  return key.replaceAll(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}
