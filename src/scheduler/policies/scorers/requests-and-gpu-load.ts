/** One number out of our requests and the load of the GPUs: a request counts as much as ten percent. */
import { defineScorer, type Candidate } from '../../policy.ts';
import { gpuLoadOf } from './gpu-load.ts';

const percentPerRequest = 10;

/** ollama-lb's score: the lower the better. */
export function loadOf({ inFlight, view }: Pick<Candidate, 'inFlight' | 'view'>): number {
  return percentPerRequest * Math.max(0, inFlight) + gpuLoadOf(view);
}

export const requestsAndGpuLoad = defineScorer({
  name: 'requests-and-gpu-load',
  looksAt: 'backend',
  summary:
    'Falls with 10 × our requests there + the load of its GPUs in percent; that of the others where nobody tells it.',
  score: (candidate) => 1 / (1 + loadOf(candidate) / 100),
});
