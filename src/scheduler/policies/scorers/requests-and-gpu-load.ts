/** One number out of our requests and the load of the GPUs: a request counts as much as ten percent. */
import { defineScorer } from '../../policy.ts';
import { gpuLoadOf } from './gpu-load.ts';

const percentPerRequest = 10;

export const requestsAndGpuLoad = defineScorer({
  name: 'requests-and-gpu-load',
  summary:
    'Falls with 10 × our requests there + the load of its GPUs in percent; 50 % where nobody tells the load.',
  score: ({ inFlight, view }) =>
    1 / (1 + (percentPerRequest * Math.max(0, inFlight) + gpuLoadOf(view)) / 100),
});
