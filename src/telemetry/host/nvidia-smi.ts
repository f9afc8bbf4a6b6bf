/**
 * NVIDIA's own tool: what it is asked, and what its answers mean. The only file that knows `nvidia-smi`. Fields are never
 * guessed: what the driver does not tell is undefined.
 */
import { unknownGpu, type GpuReading } from '../../domain/host-reading.ts';
import { runTool, type ToolRun } from './run-tool.ts';

export const nvidiaSmi = 'nvidia-smi';

export type GpuMemoryReading =
  /** By pid, over all GPUs; undefined = the driver keeps the amount of that process to itself. */
  | { readonly type: 'read'; readonly bytesByPid: ReadonlyMap<number, number | undefined> }
  /** There is no such tool. */
  | { readonly type: 'absent' }
  | { readonly type: 'failed'; readonly problem: string };

export type GpuMemoryOptions = Pick<ToolRun, 'env' | 'timeoutMs' | 'signal'>;

const plain = '--format=csv,noheader,nounits';

/** Asks once for the memory of each process. Never rejects. */
export async function readGpuMemory(options: GpuMemoryOptions): Promise<GpuMemoryReading> {
  const args = ['--query-compute-apps=pid,used_memory', plain];
  const answer = await runTool({ ...options, program: nvidiaSmi, args });
  return answer.type === 'done' ? parseGpuMemory(answer.text) : answer;
}

/**
 * Lines `PID, MIB`, one for each GPU that a process uses. In place of a number stands `[N/A]` where the driver does not
 * count (Windows) and `[Insufficient Permissions]` for processes of others.
 */
export function parseGpuMemory(text: string): GpuMemoryReading {
  const bytesByPid = new Map<number, number | undefined>();
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line === '') continue;
    const [, pidText = '', amount = ''] = /^(\d+|\[[^\]]*\])\s*,\s*(\d+|\[[^\]]*\])$/.exec(line) ?? [];
    if (pidText === '') return { type: 'failed', problem: `unexpected output: ${line.slice(0, 200)}` };
    if (pidText.startsWith('[')) continue;
    const pid = Number(pidText);
    const known = bytesByPid.has(pid) ? bytesByPid.get(pid) : 0;
    const isKnown = known !== undefined && !amount.startsWith('[');
    bytesByPid.set(pid, isKnown ? known + Number(amount) * MiB : undefined);
  }
  return { type: 'read', bytesByPid };
}

/** What is asked of each GPU. A driver that is older than a field refuses the whole query and names the field. */
export const gpuFields = [
  'index',
  'name',
  'uuid',
  'driver_version',
  'compute_cap',
  'utilization.gpu',
  'utilization.memory',
  'memory.used',
  'memory.total',
  'temperature.gpu',
  'temperature.memory',
  'power.draw',
  'power.limit',
  'clocks.sm',
  'clocks.mem',
  'fan.speed',
] as const;

export type GpuField = (typeof gpuFields)[number];

/** Prints a line for each GPU, again and again. */
export function gpuLoopArgs(fields: readonly GpuField[], intervalMs: number): string[] {
  return [`--query-gpu=${fields.join(',')}`, plain, '-lms', String(intervalMs)];
}

/** undefined = the line is about something else. */
export function tryRefusedField(line: string): GpuField | undefined {
  const name = /Field "([^"]+)" is not a valid field/.exec(line)?.[1];
  return gpuFields.find((field) => field === name);
}

/** The tool works and has nothing to tell of. */
export function saysNoGpu(line: string): boolean {
  return line.includes('No devices were found');
}

/** One line of the loop; undefined = it is none, such as a warning or a line that was cut. */
export function tryParseGpuLine(line: string, fields: readonly GpuField[]): GpuReading | undefined {
  // A comma alone may be the decimal point of another locale.
  const cells = line.split(', ').map((cell) => cell.trim());
  if (cells.length !== fields.length) return undefined;
  const cell = (field: GpuField): string | undefined => tryText(cells[fields.indexOf(field)]);
  const value = (field: GpuField): number | undefined => tryNumber(cell(field));
  const index = value('index');
  const name = cell('name');
  if (index === undefined || !Number.isInteger(index) || name === undefined) return undefined;
  // No GPU has none: a total of zero is how some drivers say that they do not know.
  const totalBytes = inBytes(value('memory.total') || undefined);
  return {
    ...unknownGpu({ index, vendor: 'nvidia', name }),
    uuid: cell('uuid'),
    architecture: tryArchitecture(value('compute_cap')),
    driver: { name: 'nvidia', version: cell('driver_version') },
    // Those that share the main memory (Jetson, DGX Spark) tell no amount.
    memoryKind: totalBytes === undefined ? 'unified' : 'dedicated',
    utilizationPercent: tryPercent(value('utilization.gpu')),
    memoryBusyPercent: tryPercent(value('utilization.memory')),
    memoryUsedBytes: inBytes(value('memory.used')),
    memoryTotalBytes: totalBytes,
    temperatureCelsius: value('temperature.gpu'),
    memoryTemperatureCelsius: value('temperature.memory'),
    powerWatts: value('power.draw'),
    powerLimitWatts: value('power.limit'),
    clockMhz: value('clocks.sm'),
    memoryClockMhz: value('clocks.mem'),
    fanPercent: tryPercent(value('fan.speed')),
  };
}

const MiB = 2 ** 20;

/** From this compute capability on. */
const architectures = [
  [10, 'Blackwell'],
  [9, 'Hopper'],
  [8.9, 'Ada Lovelace'],
  [8, 'Ampere'],
  [7.5, 'Turing'],
  [7, 'Volta'],
  [6, 'Pascal'],
  [5, 'Maxwell'],
  [3, 'Kepler'],
] as const;

function tryArchitecture(capability: number | undefined): string | undefined {
  if (capability === undefined) return undefined;
  return architectures.find(([least]) => capability >= least)?.[1];
}

/** `[N/A]`, `N/A`, `[Not Supported]`, `[Unknown Error]`, `[GPU is lost]` and the like say that there is nothing to say. */
function tryText(cell: string | undefined): string | undefined {
  return cell === undefined || cell === '' || cell === 'N/A' || cell.startsWith('[') ? undefined : cell;
}

function tryNumber(text: string | undefined): number | undefined {
  const match = /^-?\d+(?:[.,]\d+)?$/.exec(text ?? '');
  return match === null ? undefined : Number(match[0].replace(',', '.'));
}

function tryPercent(value: number | undefined): number | undefined {
  return value === undefined || value < 0 || value > 100 ? undefined : value;
}

function inBytes(mebibytes: number | undefined): number | undefined {
  return mebibytes === undefined ? undefined : mebibytes * MiB;
}
