/** The one registry of policies: configuration, docs and the contract suite follow from these lists. */
import type { Filter, Picker, Scorer } from '../policy.ts';
import { awaited } from './filters/awaited.ts';
import { claimed } from './filters/claimed.ts';
import { contextFits } from './filters/context-fits.ts';
import { failedBefore } from './filters/failed-before.ts';
import { freeSlot } from './filters/free-slot.ts';
import { healthy } from './filters/healthy.ts';
import { maxModels } from './filters/max-models.ts';
import { modelLimit } from './filters/model-limit.ts';
import { modelSlots } from './filters/model-slots.ts';
import { notClosing } from './filters/not-closing.ts';
import { notDraining } from './filters/not-draining.ts';
import { only } from './filters/only.ts';
import { servesModel } from './filters/serves-model.ts';
import { sticky } from './filters/sticky.ts';
import { trusted } from './filters/trusted.ts';
import { firstBest } from './pickers/first-best.ts';
import { maxScore } from './pickers/max-score.ts';
import { powerOfTwo } from './pickers/power-of-two.ts';
import { randomBest } from './pickers/random-best.ts';
import { roundRobin } from './pickers/round-robin.ts';
import { weightedRandom } from './pickers/weighted-random.ts';
import { freeSlotShare } from './scorers/free-slot-share.ts';
import { gpuLoad } from './scorers/gpu-load.ts';
import { health } from './scorers/health.ts';
import { loadedThenFreeShare } from './scorers/loaded-then-free-share.ts';
import { loadedThenFree } from './scorers/loaded-then-free.ts';
import { modelLoaded } from './scorers/model-loaded.ts';
import { prefixAffinity } from './scorers/prefix-affinity.ts';
import { priority } from './scorers/priority.ts';
import { queueDepth } from './scorers/queue-depth.ts';
import { requestsAndGpuLoad } from './scorers/requests-and-gpu-load.ts';
import { sessionAffinity } from './scorers/session-affinity.ts';
import { utilisation } from './scorers/utilisation.ts';
import { warmSession } from './scorers/warm-session.ts';
import { weight } from './scorers/weight.ts';

/** Always all in force. A decision names the first one that excludes a backend. */
export const filters = [
  servesModel,
  only,
  failedBefore,
  notDraining,
  healthy,
  notClosing,
  trusted,
  contextFits,
  modelLimit,
  modelSlots,
  freeSlot,
  maxModels,
  sticky,
  claimed,
  awaited,
] as const satisfies readonly Filter[];

export const scorers = [
  prefixAffinity,
  sessionAffinity,
  warmSession,
  modelLoaded,
  loadedThenFree,
  loadedThenFreeShare,
  freeSlotShare,
  utilisation,
  queueDepth,
  gpuLoad,
  requestsAndGpuLoad,
  weight,
  priority,
  health,
] as const satisfies readonly Scorer[];

export const pickers = [
  maxScore,
  firstBest,
  randomBest,
  roundRobin,
  weightedRandom,
  powerOfTwo,
] as const satisfies readonly Picker[];
