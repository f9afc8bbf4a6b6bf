/** Which ways to learn of this machine's GPUs there are, which of them are broken, and whether the GPUs hold what models are promised. */
import type { ResolvedRouting } from '../../config/models.ts';
import { gpuTotals, type GpuReading } from '../../domain/host-reading.ts';
import type { GpuLook, GpuSource } from '../../telemetry/host/gpu-source.ts';
import { withoutTwins } from '../../telemetry/host/hardware.ts';
import { bytesText } from '../top/figures.ts';
import { fault, good, remark, type Finding } from './finding.ts';

export interface GpuCheckOptions {
  /** Closed afterwards. */
  readonly sources: readonly GpuSource[];
  readonly routing: ResolvedRouting;
  readonly signal: AbortSignal;
}

export async function checkGpus({ sources, routing, signal }: GpuCheckOptions): Promise<Finding[]> {
  try {
    const looks = await Promise.all(sources.map((source) => source.read(signal)));
    const named = sources.map((source, index) => ({ name: source.name, look: looks[index] }));
    const findings = named.flatMap(({ name, look }) => (look === undefined ? [] : judgeLook(name, look)));
    const gpus = withoutTwins(looks.flatMap((look) => (look.type === 'read' ? look.gpus : [])));
    if (findings.length === 0) {
      const names = sources.map(({ name }) => name).join(', ');
      findings.push(remark(undefined, `no GPU is told of by any of ${names}`));
    }
    return [...findings, ...checkBudget(gpus, routing)];
  } finally {
    await Promise.all(sources.map((source) => source.close()));
  }
}

function judgeLook(name: string, look: GpuLook): Finding[] {
  switch (look.type) {
    case 'absent':
      return [];
    case 'failed':
      return [
        fault(name, {
          level: 'warning',
          saw: `it is there but does not work: ${look.problem}`,
          change: `run ${name} by hand; a driver that does not fit its tools is the usual reason`,
        }),
      ];
    case 'read':
      return look.gpus.length === 0 ? [] : [good(name, look.gpus.map(describeGpu).join(', '))];
  }
}

function describeGpu({ name, memoryTotalBytes, memoryUsedBytes }: GpuReading): string {
  if (memoryTotalBytes === undefined) return name;
  const total = bytesText(memoryTotalBytes);
  if (memoryUsedBytes === undefined) return `${name} (${total})`;
  return `${name} (${bytesText(memoryUsedBytes)} of ${total} in use)`;
}

function checkBudget(gpus: readonly GpuReading[], routing: ResolvedRouting): Finding[] {
  const vramBytes = routing.kind === 'memory' ? routing.budget.vramBytes : undefined;
  const { memoryTotalBytes } = gpuTotals(gpus);
  if (vramBytes === undefined || memoryTotalBytes === undefined) return [];
  const saw = `models get ${bytesText(vramBytes)} of the ${bytesText(memoryTotalBytes)} of these GPUs`;
  if (vramBytes <= memoryTotalBytes) return [good('routing', saw)];
  return [
    fault('routing', {
      level: 'error',
      saw,
      change: `routing.router.settings.memory.vram: at most ${bytesText(memoryTotalBytes)}`,
    }),
  ];
}
