/** Apple's GPUs as `ioreg` tells them, which needs no superuser. They use the main memory; power and heat it does not tell. */
import { unknownGpu, type GpuReading } from '../../domain/host-reading.ts';
import { passingSource, type GpuSource } from './gpu-source.ts';
import { runTool } from './run-tool.ts';

const program = 'ioreg';
const args = ['-r', '-d', '1', '-w', '0', '-c', 'IOAccelerator'];

/** `memoryTotalBytes`: of the machine. */
export function createIoregSource(env: NodeJS.ProcessEnv, memoryTotalBytes: number): GpuSource {
  return passingSource({
    name: program,
    vendors: ['apple', 'amd', 'intel'],
    intervalMsMin: 1000,
    async read(signal) {
      const answer = await runTool({ program, args, env, signal });
      if (answer.type !== 'done') return answer;
      const gpus = parseIoreg(answer.text, memoryTotalBytes);
      return gpus.length === 0 ? { type: 'absent' } : { type: 'read', gpus };
    },
  });
}

/** One entry for each accelerator, whose name begins with the driver's class. */
export function parseIoreg(text: string, memoryTotalBytes: number): GpuReading[] {
  const entries = text.split(/^\+-o /m).slice(1);
  return entries.flatMap((entry) => {
    const statistics = /"PerformanceStatistics" = \{([^}]*)\}/.exec(entry)?.[1];
    if (statistics === undefined) return [];
    // With its quotes: "In use system memory" is not "In use system memory (driver)".
    const value = (name: string): number | undefined => {
      const at = statistics.indexOf(`"${name}"=`);
      const digits = at === -1 ? undefined : /^\d+/.exec(statistics.slice(at + name.length + 3))?.[0];
      return digits === undefined ? undefined : Number(digits);
    };
    const model = /"model" = (?:<)?"([^"]+)"/.exec(entry)?.[1];
    const isApple = entry.startsWith('AGX') || model?.startsWith('Apple') === true;
    const vendor = isApple ? 'apple' : /^(?:AMD|ATI)/.test(entry) ? 'amd' : 'intel';
    const utilization = value('Device Utilization %') ?? value('Renderer Utilization %');
    return [
      {
        ...unknownGpu({ index: 0, vendor, name: model ?? (isApple ? 'Apple GPU' : 'GPU') }),
        driver: { name: /^[\w]+/.exec(entry)?.[0] ?? 'IOAccelerator', version: undefined },
        memoryKind: isApple ? 'unified' : 'unknown',
        utilizationPercent: utilization === undefined || utilization > 100 ? undefined : utilization,
        memoryUsedBytes: value('In use system memory') ?? value('vramUsedBytes'),
        memoryTotalBytes: isApple ? memoryTotalBytes : undefined,
        temperatureCelsius: value('Temperature(C)'),
        powerWatts: value('Total Power(W)'),
        fanPercent: value('Fan Speed(%)'),
      } satisfies GpuReading,
    ];
  });
}
