/** Avoids machines whose GPUs are busy, also with the work of others. */
import type { BackendView } from '../../../domain/backend-view.ts';
import { defineScorer } from '../../policy.ts';

/** Neither for nor against a backend whose machine nobody looks at. */
const percentNeutral = 50;

/** 0 to 100. */
export function gpuLoadOf({ gpuLoad }: BackendView): number {
  return gpuLoad === undefined ? percentNeutral : Math.min(100, Math.max(0, gpuLoad));
}

export const gpuLoad = defineScorer({
  name: 'gpu-load',
  looksAt: 'backend',
  summary: '1 where the GPUs are idle, 0 where they are fully busy, 0.5 where nobody tells.',
  score: ({ view }) => 1 - gpuLoadOf(view) / 100,
});
