/** Readings of this machine and what it is made of, in the words of the API. Identities of parts stay inside. */
import type { GpuReading, HostReading, SystemReading } from '../domain/host-reading.ts';
import type { Hardware } from '../telemetry/host/hardware.ts';
import type { GpuStat, HardwareBody, SysStat } from './contract-performance.ts';
import { isoTime } from './values.ts';

export function describeSystem(atEpochMs: number, system: SystemReading): SysStat {
  const { memory, swap, loadAverages, network, disk } = system;
  const [load1 = null, load5 = null, load15 = null] = loadAverages ?? [];
  return {
    timestamp: isoTime(atEpochMs),
    cpu_util_per_core: [...system.cpuPercentByCore],
    mem_total_mb: inMegabytes(memory.totalBytes),
    mem_used_mb: inMegabytes(memory.usedBytes),
    mem_free_mb: inMegabytes(memory.totalBytes - memory.usedBytes),
    swap_total_mb: inMegabytes(swap?.totalBytes ?? 0),
    swap_used_mb: inMegabytes(swap?.usedBytes ?? 0),
    load_avg_1: load1,
    load_avg_5: load5,
    load_avg_15: load15,
    net_io: network.map(({ name, receivedBytes, sentBytes }) => ({
      name,
      bytes_recv: receivedBytes,
      bytes_sent: sentBytes,
    })),
    disk:
      disk === undefined
        ? null
        : {
            folder: disk.folder,
            total_mb: inMegabytes(disk.totalBytes),
            free_mb: inMegabytes(disk.freeBytes),
          },
  };
}

/** One entry for each GPU. */
export function describeGpus({ atEpochMs, gpus }: HostReading): GpuStat[] {
  return gpus.map((gpu) => ({
    timestamp: isoTime(atEpochMs),
    id: gpu.index,
    name: gpu.name,
    uuid: gpu.uuid ?? '',
    vendor: gpu.vendor,
    temp_c: gpu.temperatureCelsius ?? null,
    vram_temp_c: gpu.memoryTemperatureCelsius ?? null,
    gpu_util_pct: gpu.utilizationPercent ?? null,
    mem_util_pct: gpu.memoryBusyPercent ?? null,
    mem_used_mb: gpu.memoryUsedBytes === undefined ? null : inMegabytes(gpu.memoryUsedBytes),
    mem_total_mb: gpu.memoryTotalBytes === undefined ? null : inMegabytes(gpu.memoryTotalBytes),
    fan_speed_pct: gpu.fanPercent ?? null,
    power_draw_w: gpu.powerWatts ?? null,
    power_limit_w: gpu.powerLimitWatts ?? null,
    clock_mhz: gpu.clockMhz ?? null,
    mem_clock_mhz: gpu.memoryClockMhz ?? null,
  }));
}

/** Names as other programs know them; what has none of these is `other`, with its own name beside. */
export function describeHardware(
  hardware: Hardware,
  captured: { readonly atEpochMs: number; readonly version: string },
): HardwareBody {
  const { system, environment, cpu } = hardware;
  const architecture = architectureNames[hardware.architecture.toLowerCase()] ?? 'other';
  const family = familyNames[system.family] ?? 'other';
  return {
    schema_version: 1,
    captured_at: isoTime(captured.atEpochMs),
    capture: {
      scope: 'inference_host',
      method: 'detected',
      detector: { name: 'llamero', version: captured.version },
    },
    architecture: { name: architecture, raw_name: hardware.architecture },
    operating_system: {
      family,
      name: system.name ?? null,
      version: system.version ?? null,
      kernel: system.kernel,
      ...(family === 'other' && { raw_family: system.family }),
    },
    environment: { kind: environment.kind, name: environment.name ?? null, version: null },
    cpu: {
      vendor: cpu.vendor ?? null,
      model: cpu.model ?? null,
      socket_count: cpu.sockets ?? null,
      physical_core_count: cpu.cores ?? null,
      logical_thread_count: cpu.threads ?? null,
    },
    memory: { capacity_bytes: hardware.memoryBytes },
    accelerators: hardware.gpus.map(describeAccelerator),
  };
}

function describeAccelerator(gpu: GpuReading): HardwareBody['accelerators'][number] {
  return {
    index: gpu.index,
    kind: 'gpu',
    vendor: gpu.vendor,
    model: gpu.name,
    architecture: gpu.architecture ?? null,
    memory: { kind: gpu.memoryKind, capacity_bytes: gpu.memoryTotalBytes || null },
    driver: gpu.driver === undefined ? null : { name: gpu.driver.name, version: gpu.driver.version ?? null },
    power_limit_watts: gpu.powerLimitWatts || null,
  };
}

const architectureNames: Readonly<Record<string, HardwareBody['architecture']['name']>> = {
  x86_64: 'x86_64',
  amd64: 'x86_64',
  x64: 'x86_64',
  aarch64: 'arm64',
  arm64: 'arm64',
  armv7l: 'armv7',
  armv7: 'armv7',
  ppc64le: 'ppc64le',
  riscv64: 'riscv64',
  s390x: 's390x',
};

const familyNames: Readonly<Record<string, HardwareBody['operating_system']['family']>> = {
  linux: 'linux',
  darwin: 'macos',
  win32: 'windows',
  freebsd: 'freebsd',
};

function inMegabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
