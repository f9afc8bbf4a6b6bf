/** Whether this machine has the memory that the configuration hands out: to the router itself, and to models by `routing`. */
import type { ResolvedRouting } from '../../config/models.ts';
import type { Config } from '../../config/schema.ts';
import { bytesText } from '../top/figures.ts';
import { fault, good, type Finding } from './finding.ts';

export interface MachineMemory {
  /** What programs may use: the limit of a container where that is lower. */
  readonly totalBytes: number;
  /** Not in use, or given back when asked. */
  readonly freeBytes: number;
}

/** A router under load without any of its caches. */
const ownBytes = 150 * 2 ** 20;

export function checkMemory(
  { totalBytes, freeBytes }: MachineMemory,
  config: Config,
  routing: ResolvedRouting,
): Finding[] {
  const caches = config.affinity.prefix.memory + config.responses.sizeMax + config.captureBuffer * 2 ** 20;
  const needed = ownBytes + caches;
  const saw = `${bytesText(freeBytes)} of ${bytesText(totalBytes)} are free, the router takes up to about ${bytesText(needed)}`;
  const own =
    freeBytes >= needed
      ? good('memory', saw)
      : fault('memory', {
          level: 'warning',
          saw,
          change: 'end other programs, or lower affinity.prefix.memory, responses.sizeMax and captureBuffer',
        });
  return [own, ...checkBudget(routing, totalBytes)];
}

function checkBudget(routing: ResolvedRouting, totalBytes: number): Finding[] {
  const ramBytes = routing.kind === 'memory' ? routing.budget.ramBytes : undefined;
  if (ramBytes === undefined) return [];
  const saw = `models get ${bytesText(ramBytes)} of the ${bytesText(totalBytes)} of this machine`;
  if (ramBytes <= totalBytes) return [good('routing', saw)];
  return [
    fault('routing', {
      level: 'error',
      saw,
      change: `routing.router.settings.memory.ram: at most ${bytesText(totalBytes)}`,
    }),
  ];
}
