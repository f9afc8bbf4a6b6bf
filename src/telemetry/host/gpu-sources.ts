/** Which sources of GPU readings a platform has, the best of each vendor first. */
import { totalmem } from 'node:os';
import type { Clock } from '../../base/clock.ts';
import { createAmdSmiSource } from './amd-smi.ts';
import { createAmdSysfsSource } from './amd-sysfs.ts';
import type { GpuSource } from './gpu-source.ts';
import { createIntelSysfsSource } from './intel-sysfs.ts';
import { createIoregSource } from './ioreg.ts';
import { createLactSource, lactSocket } from './lact.ts';
import { createNvidiaSource } from './nvidia-source.ts';
import { createRocmSmiSource } from './rocm-smi.ts';
import { createXpuSmiSource } from './xpu-smi.ts';

export interface GpuSourceOptions {
  readonly platform: NodeJS.Platform;
  /** `PATH` in it says where tools are. */
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly intervalMs: number;
  /** For tests; default `/sys`. */
  readonly sysRoot?: string;
  /** For tests; default that of LACT. */
  readonly lactSocket?: string;
}

export function createGpuSources(options: GpuSourceOptions): GpuSource[] {
  const { platform, env, clock, sysRoot = '/sys' } = options;
  const nvidia = createNvidiaSource(options);
  if (platform === 'darwin') return [createIoregSource(env, totalmem())];
  if (platform !== 'linux') return [nvidia];
  return [
    nvidia,
    createAmdSysfsSource(sysRoot),
    createAmdSmiSource(env),
    createRocmSmiSource(env),
    createXpuSmiSource(env),
    createIntelSysfsSource(sysRoot, clock),
    createLactSource(options.lactSocket ?? lactSocket),
  ];
}
