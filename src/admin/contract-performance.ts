/**
 * What the routes about this machine answer: llama-swap's words and units (MB are 2^20 bytes), and a few more. `null` =
 * nobody can tell.
 */
import { z } from 'zod';
import { gpuVendors } from '../domain/host-reading.ts';

const count = z.int().min(0);
const known = z.number().nullable();
const text = z.string().nullable();

export const sysStatSchema = z.strictObject({
  timestamp: z.iso.datetime(),
  cpu_util_per_core: z.array(z.number().min(0).max(100)),
  mem_total_mb: count,
  mem_used_mb: count,
  mem_free_mb: count,
  swap_total_mb: count,
  swap_used_mb: count,
  load_avg_1: known,
  load_avg_5: known,
  load_avg_15: known,
  net_io: z.array(z.strictObject({ name: z.string(), bytes_recv: count, bytes_sent: count })),
  disk: z.strictObject({ folder: z.string(), total_mb: count, free_mb: count }).nullable(),
});

export const gpuStatSchema = z.strictObject({
  timestamp: z.iso.datetime(),
  id: count,
  name: z.string(),
  /** Empty = it has none. */
  uuid: z.string(),
  vendor: z.enum(gpuVendors),
  temp_c: known,
  vram_temp_c: known,
  gpu_util_pct: known,
  mem_util_pct: known,
  mem_used_mb: known,
  mem_total_mb: known,
  fan_speed_pct: known,
  power_draw_w: known,
  power_limit_w: known,
  clock_mhz: known,
  mem_clock_mhz: known,
});

export const performanceSchema = z.strictObject({
  enabled: z.literal(true),
  sys_stats: z.array(sysStatSchema),
  gpu_stats: z.array(gpuStatSchema),
});

/** With 503. */
export const performanceOffSchema = z.strictObject({ enabled: z.literal(false) });

const architectures = ['x86_64', 'arm64', 'armv7', 'ppc64le', 'riscv64', 's390x', 'other'] as const;
const families = ['linux', 'macos', 'windows', 'freebsd', 'other'] as const;
const positive = z.int().min(1).nullable();

export const acceleratorSchema = z.strictObject({
  index: count,
  kind: z.literal('gpu'),
  vendor: text,
  model: text,
  architecture: text,
  memory: z.strictObject({
    kind: z.enum(['dedicated', 'unified', 'shared_system', 'unknown']),
    capacity_bytes: positive,
  }),
  driver: z.strictObject({ name: text, version: text }).nullable(),
  power_limit_watts: z.number().positive().nullable(),
});

export const hardwareSchema = z.strictObject({
  schema_version: z.literal(1),
  captured_at: z.iso.datetime(),
  capture: z.strictObject({
    scope: z.literal('inference_host'),
    method: z.literal('detected'),
    detector: z.strictObject({ name: z.literal('llamero'), version: z.string() }),
  }),
  architecture: z.strictObject({ name: z.enum(architectures), raw_name: text }),
  operating_system: z.strictObject({
    family: z.enum(families),
    name: text,
    version: text,
    kernel: text,
    raw_family: z.string().optional(),
  }),
  environment: z.strictObject({
    kind: z.enum(['native', 'container', 'virtual_machine', 'wsl', 'other', 'unknown']),
    name: text,
    version: text,
  }),
  cpu: z.strictObject({
    vendor: text,
    model: text,
    socket_count: positive,
    physical_core_count: positive,
    logical_thread_count: positive,
  }),
  memory: z.strictObject({ capacity_bytes: z.int().min(1) }),
  accelerators: z.array(acceleratorSchema),
});

export const performanceQuery = z.object({
  after: z.iso
    .datetime({ offset: true })
    .transform((moment) => Date.parse(moment))
    .optional(),
});

export type SysStat = z.infer<typeof sysStatSchema>;
export type GpuStat = z.infer<typeof gpuStatSchema>;
export type PerformanceBody = z.infer<typeof performanceSchema>;
export type PerformanceOffBody = z.infer<typeof performanceOffSchema>;
export type HardwareBody = z.infer<typeof hardwareSchema>;
