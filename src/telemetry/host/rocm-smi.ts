/** AMD GPUs as `rocm-smi` tells them, the forerunner of `amd-smi`. */
import { unknownGpu, type GpuReading } from '../../domain/host-reading.ts';
import { passingSource, type GpuSource } from './gpu-source.ts';
import { at, tryNumberOf, tryParseLooseJson, tryTextOf } from './loose-json.ts';
import { runTool } from './run-tool.ts';

/** The tool is a Python program: it takes half a second of one core each time. */
const intervalMsMin = 5000;
const program = 'rocm-smi';
const args = [
  '--showuse',
  '--showmemuse',
  '--showmeminfo',
  'vram',
  '--showtemp',
  '--showpower',
  '--showfan',
  '--showproductname',
  '--showuniqueid',
  '--json',
];

export function createRocmSmiSource(env: NodeJS.ProcessEnv): GpuSource {
  return passingSource({
    name: program,
    vendors: ['amd'],
    intervalMsMin,
    async read(signal) {
      const answer = await runTool({ program, args, env, signal });
      if (answer.type !== 'done') return answer;
      const gpus = parseRocmSmi(answer.text);
      return gpus === undefined
        ? { type: 'failed', problem: `unexpected output: ${answer.text.trim().slice(0, 200)}` }
        : { type: 'read', gpus };
    },
  });
}

/** undefined = it is something else. Releases differ in words and capitals: `Card series`, `Card Series` … */
export function parseRocmSmi(text: string): GpuReading[] | undefined {
  const parsed = tryParseLooseJson(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  const cards = Object.keys(parsed)
    .filter((key) => /^card\d+$/.test(key))
    .sort((one, other) => Number(one.slice(4)) - Number(other.slice(4)));
  if (cards.length === 0) return undefined;
  return cards.map((card, index) => readCard(at(parsed, card), index));
}

function readCard(card: unknown, index: number): GpuReading {
  const fields = new Map(
    Object.entries((card ?? {}) as Record<string, unknown>).map(([key, value]) => [key.toLowerCase(), value]),
  );
  const first = <T>(read: (value: unknown) => T | undefined, keys: readonly string[]): T | undefined => {
    for (const key of keys) {
      const value = read(fields.get(key));
      if (value !== undefined) return value;
    }
    return undefined;
  };
  const number = (...keys: string[]): number | undefined => first(tryNumberOf, keys);
  const name = first(tryTextOf, ['card series', 'device name', 'card model', 'card sku']);
  return {
    ...unknownGpu({ index, vendor: 'amd', name: name ?? `AMD GPU ${index}` }),
    uuid: first(tryTextOf, ['unique id']),
    architecture: first(tryTextOf, ['gfx version']),
    driver: { name: 'amdgpu', version: undefined },
    memoryKind: 'dedicated',
    utilizationPercent: number('gpu use (%)'),
    memoryBusyPercent: number('gpu memory read/write activity (%)'),
    memoryUsedBytes: number('vram total used memory (b)'),
    memoryTotalBytes: number('vram total memory (b)'),
    temperatureCelsius: number('temperature (sensor junction) (c)', 'temperature (sensor edge) (c)'),
    memoryTemperatureCelsius: number('temperature (sensor memory) (c)'),
    powerWatts: number(
      'average graphics package power (w)',
      'current socket graphics package power (w)',
      'average socket power (w)',
    ),
    fanPercent: number('fan speed (%)'),
  };
}
