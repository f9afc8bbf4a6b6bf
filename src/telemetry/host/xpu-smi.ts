/** Intel GPUs as `xpu-smi` tells them. Version 2 answers like `nvidia-smi`, version 1 dumps numbered metrics; both with a header. */
import { unknownGpu, type GpuReading } from '../../domain/host-reading.ts';
import { passingSource, type GpuLook, type GpuSource } from './gpu-source.ts';
import { runTool } from './run-tool.ts';

const program = 'xpu-smi';
/** Each run opens the driver anew. */
const intervalMsMin = 5000;
const queryArgs = [
  '--query-gpu=index,name,uuid,driver_version,utilization.gpu,memory.used,memory.total,power.draw,temperature.gpu,clocks.gr',
  '--format=csv,nounits',
];
/** Utilisation, power, frequency, core and memory temperature, memory used; of all devices, once. */
const dumpArgs = ['dump', '-d', '-1', '-m', '0,1,2,3,4,18', '-n', '1'];

export function createXpuSmiSource(env: NodeJS.ProcessEnv): GpuSource {
  let isVersion1 = false;
  return passingSource({
    name: program,
    vendors: ['intel'],
    intervalMsMin,
    async read(signal) {
      const ask = async (args: readonly string[]): Promise<GpuLook> => {
        const answer = await runTool({ program, args, env, signal });
        if (answer.type !== 'done') return answer;
        const gpus = parseXpuSmi(answer.text);
        if (gpus !== undefined) return { type: 'read', gpus };
        return { type: 'failed', problem: `unexpected output: ${answer.text.trim().slice(0, 200)}` };
      };
      const look = isVersion1 ? undefined : await ask(queryArgs);
      if (look !== undefined && look.type !== 'failed') return look;
      const dump = await ask(dumpArgs);
      isVersion1 = dump.type === 'read';
      return dump;
    },
  });
}

/** undefined = it has no header that is known, or no GPU below it. */
export function parseXpuSmi(text: string): GpuReading[] | undefined {
  const lines = text.split('\n').map((line) => line.split(',').map((cell) => cell.trim()));
  const start = lines.findIndex((cells) => cells.some((cell) => cell === 'index' || cell === 'DeviceId'));
  const header = lines[start]?.map((cell) => cell.replace(/ \[.*\]$/, '').replace('Celsius Degree', 'C'));
  if (header === undefined) return undefined;
  const rows = lines.slice(start + 1).filter((cells) => cells.length === header.length);
  const gpus = rows.map((cells, position) =>
    readRow(new Map(header.map((name, at) => [name, cells[at]])), position),
  );
  return gpus.length === 0 ? undefined : gpus;
}

function readRow(row: ReadonlyMap<string, string | undefined>, position: number): GpuReading {
  const text = (...names: string[]): string | undefined => {
    for (const name of names) {
      const cell = row.get(name);
      if (cell !== undefined && cell !== '' && !/^\[?n\/a\]?$/i.test(cell)) return cell;
    }
    return undefined;
  };
  const number = (...names: string[]): number | undefined => {
    const value = Number(text(...names) ?? Number.NaN);
    return Number.isFinite(value) ? value : undefined;
  };
  const bytes = (mebibytes: number | undefined): number | undefined =>
    mebibytes === undefined ? undefined : mebibytes * 2 ** 20;
  const memoryTotalBytes = bytes(number('memory.total'));
  return {
    ...unknownGpu({
      index: position,
      vendor: 'intel',
      name: text('name') ?? `Intel GPU ${text('DeviceId', 'index') ?? position}`,
    }),
    uuid: text('uuid'),
    driver: { name: 'level zero', version: text('driver_version') },
    memoryKind: memoryTotalBytes === undefined ? 'unknown' : 'dedicated',
    utilizationPercent: number('utilization.gpu', 'GPU Utilization (%)'),
    memoryUsedBytes: bytes(number('memory.used', 'GPU Memory Used (MiB)')),
    memoryTotalBytes,
    temperatureCelsius: number('temperature.gpu', 'GPU Core Temperature (C)'),
    memoryTemperatureCelsius: number('GPU Memory Temperature (C)'),
    powerWatts: number('power.draw', 'GPU Power (W)'),
    clockMhz: number('clocks.gr', 'GPU Frequency (MHz)'),
  };
}
