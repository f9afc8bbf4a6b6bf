/** AMD GPUs as `amd-smi` tells them: for hosts on which the driver's files are out of reach, such as some containers. */
import { unknownGpu, type GpuReading } from '../../domain/host-reading.ts';
import { passingSource, type GpuSource } from './gpu-source.ts';
import { at, tryNumberOf, tryParseLooseJson, tryTextOf } from './loose-json.ts';
import { runTool } from './run-tool.ts';

/** The tool is a Python program: it takes half a second of one core each time. */
const intervalMsMin = 5000;
const program = 'amd-smi';

export function createAmdSmiSource(env: NodeJS.ProcessEnv): GpuSource {
  /** By number; they do not change. */
  let names: ReadonlyMap<number, string> | undefined;
  return passingSource({
    name: program,
    vendors: ['amd'],
    intervalMsMin,
    async read(signal) {
      const answer = await runTool({ program, args: ['metric', '--json'], env, signal });
      if (answer.type !== 'done') return answer;
      names ??= parseAmdSmiNames(await listing(env, signal));
      const gpus = parseAmdSmi(answer.text, names);
      return gpus === undefined
        ? { type: 'failed', problem: `unexpected output: ${answer.text.trim().slice(0, 200)}` }
        : { type: 'read', gpus };
    },
  });
}

/** Of `amd-smi metric --json`; undefined = it is something else. */
export function parseAmdSmi(text: string, names: ReadonlyMap<number, string>): GpuReading[] | undefined {
  const entries = entriesOf(text);
  return entries?.map((entry, position) => {
    const number = tryNumberOf(at(entry, 'gpu')) ?? position;
    const value = (...keys: string[]): number | undefined => tryNumberOf(at(entry, ...keys));
    const memory = (name: string): number | undefined => tryBytes(at(entry, 'mem_usage', name));
    return {
      ...unknownGpu({ index: position, vendor: 'amd', name: names.get(number) ?? `AMD GPU ${number}` }),
      driver: { name: 'amdgpu', version: undefined },
      memoryKind: 'dedicated',
      utilizationPercent: value('usage', 'gfx_activity'),
      memoryBusyPercent: value('usage', 'umc_activity'),
      memoryUsedBytes: memory('used_vram'),
      memoryTotalBytes: memory('total_vram'),
      temperatureCelsius: value('temperature', 'hotspot') ?? value('temperature', 'edge'),
      memoryTemperatureCelsius: value('temperature', 'mem'),
      powerWatts: value('power', 'socket_power') ?? value('power', 'average_socket_power'),
      clockMhz: value('clock', 'gfx_0', 'clk'),
      memoryClockMhz: value('clock', 'mem_0', 'clk'),
      fanPercent: value('fan', 'usage'),
    };
  });
}

/** Market names by number, of `amd-smi static --asic --json`. */
export function parseAmdSmiNames(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const entry of entriesOf(text) ?? []) {
    const number = tryNumberOf(at(entry, 'gpu'));
    const name = tryTextOf(at(entry, 'asic', 'market_name'));
    if (number !== undefined && name !== undefined) names.set(number, name);
  }
  return names;
}

/** Older releases write a list, newer ones an object around it. */
function entriesOf(text: string): readonly unknown[] | undefined {
  const parsed = tryParseLooseJson(text);
  const entries = at(parsed, 'gpu_data') ?? parsed;
  return Array.isArray(entries) ? (entries as readonly unknown[]) : undefined;
}

async function listing(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  const answer = await runTool({ program, args: ['static', '--asic', '--json'], env, signal });
  return answer.type === 'done' ? answer.text : '';
}

const bytesByUnit: Readonly<Record<string, number>> = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };

/** Its MB are 2^20 bytes. */
function tryBytes(value: unknown): number | undefined {
  const amount = tryNumberOf(value);
  const unit = tryTextOf(at(value, 'unit')) ?? 'MB';
  const factor = bytesByUnit[unit];
  return amount === undefined || factor === undefined ? undefined : amount * factor;
}
