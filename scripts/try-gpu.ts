/** Shows what the readers find on this machine: each source by itself, then two readings, the hardware and memory by process. */
import { systemClock } from '../src/base/clock.ts';
import { gpuTotals } from '../src/domain/host-reading.ts';
import { createGpuSources } from '../src/telemetry/host/gpu-sources.ts';
import { readGpuMemory } from '../src/telemetry/host/nvidia-smi.ts';
import { PerformanceMonitor } from '../src/telemetry/host/performance-monitor.ts';

const { env, platform } = process;
const intervalMs = 1000;
const show = (title: string, value: unknown): void => {
  process.stdout.write(`\n${title}\n${JSON.stringify(value, undefined, 2)}\n`);
};

for (const source of createGpuSources({ platform, env, clock: systemClock, intervalMs })) {
  const startedMs = performance.now();
  const look = await source.read(AbortSignal.timeout(10_000));
  show(`${source.name}, after ${Math.round(performance.now() - startedMs)} ms`, look);
  await source.close();
}
const memory = await readGpuMemory({ env });
show('Memory by process', memory.type === 'read' ? [...memory.bytesByPid] : memory);

const log = { info: () => {}, warn: (details: object, message: string) => show(message, details) };
const monitor = new PerformanceMonitor({ clock: systemClock, log, env, platform, diskFolder: () => '.' });
monitor.configure({ disabled: false, every: intervalMs });
await new Promise<void>((resolve) => {
  const off = monitor.subscribe((reading) => {
    show('Reading', { ...reading, totals: gpuTotals(reading.gpus) });
    if (monitor.history().length < 2) return;
    off();
    resolve();
  });
  // The monitor alone does not keep the program alive.
  setTimeout(resolve, 10_000);
});
show('Hardware', await monitor.hardware());
await monitor.close();
process.exit(0);
