/** A machine with a GPU that can be made as busy as one likes: an engine, and a real monitor whose nvidia-smi is a script. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { startFakeEngine, type LocalFakeEngine } from '../fake-engine/start.ts';
import { fakeTools } from '../fake-tools.ts';
import { startProgram, type Program } from '../integration/start-program.ts';

export interface GpuHost {
  readonly engine: LocalFakeEngine;
  readonly monitor: Program;
  readonly monitorUrl: string;
  /** As it stands under `backends`. */
  readonly config: object;
  /** From now on, in percent. */
  busy(percent: number): void;
}

/** Everything of it ends with the test. */
export async function startGpuHost(percent: number): Promise<GpuHost> {
  const tools = fakeTools();
  const file = join(tools.folder, 'now.csv');
  const busy = (load: number): void => {
    writeFileSync(`${file}.new`, gpuLine(load));
    renameSync(`${file}.new`, file);
  };
  busy(percent);
  tools.put('nvidia-smi', `while cat '${file}'; do sleep 0.05; done`);
  const [engine, monitor] = await Promise.all([
    startFakeEngine({ slots: 16 }),
    startProgram(
      ['gpu-monitor', '--listen', '127.0.0.1:0', '--interval', '200ms'],
      {},
      { PATH: `${tools.env['PATH'] ?? ''}:${process.env['PATH'] ?? ''}` },
    ),
  ]);
  onTestFinished(async () => {
    await Promise.all([engine.close(), monitor[Symbol.asyncDispose]()]);
  });
  const monitorUrl = await monitor.url();
  return { engine, monitor, monitorUrl, config: { url: engine.url, gpuMonitor: monitorUrl }, busy };
}

/** In the order of the fields that the monitor asks for. */
function gpuLine(percent: number): string {
  return `0, NVIDIA GeForce RTX 3090, GPU-6e4c1b0a-6f0d-3c0e-9f6e-0a4d1c0b7a11, 560.35.03, 8.6, ${percent}, 61, 12800, 24576, 71, N/A, 338.12, 350.00, 1740, 9501, 78\n`;
}
