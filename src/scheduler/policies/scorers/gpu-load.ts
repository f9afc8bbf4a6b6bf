/** Avoids machines whose GPUs are busy, also with the work of others. */
import type { BackendView } from '../../../domain/backend-view.ts';
import { defineScorer } from '../../policy.ts';

/** Where nobody looks at any machine. */
const percentNeutral = 50;

/** 0 to 100. A machine that nobody looks at is taken to be as busy as the others: neither for nor against it. */
export function gpuLoadOf({ gpuLoad, gpuLoadElsewhere }: BackendView): number {
  return Math.min(100, Math.max(0, gpuLoad ?? gpuLoadElsewhere ?? percentNeutral));
}

export const gpuLoad = defineScorer({
  name: 'gpu-load',
  looksAt: 'backend',
  summary: '1 where the GPUs are idle, 0 where they are fully busy, as elsewhere where nobody tells.',
  score: ({ view }) => 1 - gpuLoadOf(view) / 100,
});
