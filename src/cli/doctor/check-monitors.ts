/** Whether the GPU monitors of backends answer, take their key and tell of GPUs. */
import { formatPath } from '../../config/problems.ts';
import type { Clock } from '../../base/clock.ts';
import { localMonitor, toGpuMonitor, type GpuMonitor } from '../../config/schema-gpu.ts';
import type { Config } from '../../config/schema.ts';
import type { GpuReading } from '../../domain/host-reading.ts';
import { ProbeFailure } from '../../engines/engine-kind.ts';
import { createProbeClient } from '../../engines/probe-client.ts';
import { parseMonitorBody } from '../../telemetry/host/monitor-body.ts';
import { watchAnswers } from './answer-watch.ts';
import { explainFailure } from './explain-failure.ts';
import { fault, good, type Finding } from './finding.ts';

export interface MonitorCheckOptions {
  readonly config: Pick<Config, 'backends' | 'probes'>;
  readonly clock: Pick<Clock, 'epochMs'>;
  readonly signal: AbortSignal;
}

/** A monitor that several backends have is asked once for each of them: it may have another key in each place. */
export async function checkMonitors({ config, clock, signal }: MonitorCheckOptions): Promise<Finding[]> {
  const asking = { timeoutMs: config.probes.timeout, clock, signal };
  const checks = Object.entries(config.backends).flatMap(([id, { gpuMonitor }]) => {
    const monitor = gpuMonitor === undefined ? undefined : toGpuMonitor(gpuMonitor);
    return monitor === undefined || monitor.url === localMonitor ? [] : [checkMonitor(id, monitor, asking)];
  });
  return (await Promise.all(checks)).flat();
}

interface Asking {
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, 'epochMs'>;
  readonly signal: AbortSignal;
}

async function checkMonitor(
  id: string,
  { url: address, apiKey, gpus: numbers }: GpuMonitor,
  { timeoutMs, clock, signal }: Asking,
): Promise<Finding[]> {
  const url = new URL(address);
  // As the router asks it: without a path, for its metrics.
  const path = url.pathname === '/' ? '/metrics' : '';
  const watch = watchAnswers(createProbeClient({ url, apiKey, timeoutMs, signal }), clock);
  try {
    const answer = await watch.client.get(path);
    if (answer.status !== 200) throw new ProbeFailure('status', `It answered with status ${answer.status}`);
    const { gpus } = parseMonitorBody(answer.json).reading;
    return [judgeGpus({ id, address, gpus, numbers }), ...watch.clockFindings(id)];
  } catch (error) {
    const failure =
      error instanceof ProbeFailure ? error : new ProbeFailure('status', 'It is no GPU monitor');
    const key = formatPath(['backends', id, 'gpuMonitor']);
    const place = { key: `${key}.apiKey`, url: key, address, refusedKey: watch.refusedKey() };
    return [fault(id, { level: 'warning', ...explainFailure(failure, place) })];
  }
}

interface GpusTold {
  readonly id: string;
  readonly address: string;
  readonly gpus: readonly GpuReading[];
  /** Those that the backend runs on; undefined = all. */
  readonly numbers: readonly number[] | undefined;
}

function judgeGpus({ id, address, gpus, numbers }: GpusTold): Finding {
  const known = gpus.filter(({ index }) => numbers === undefined || numbers.includes(index));
  const missing = (numbers ?? []).filter((number) => !gpus.some(({ index }) => index === number));
  if (missing.length > 0) {
    return fault(id, {
      level: 'warning',
      saw: `${address} tells of no GPU ${missing.join(', ')}, only of ${gpus.length} in all`,
      change: `${formatPath(['backends', id, 'gpuMonitor', 'gpus'])}: numbers from 0 on`,
    });
  }
  if (known.length > 0) return good(id, `${address}: ${known.map(({ name }) => name).join(', ')}`);
  return fault(id, {
    level: 'warning',
    saw: `${address} tells of no GPU, so the load behind this backend stays unknown`,
    change: 'run llamero doctor on that machine: it says which GPU tools work there',
  });
}
