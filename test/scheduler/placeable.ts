/** Where a waiting request could go, by rules written down a second time. Reads what a snapshot tells. */
import type { BackendView } from '../../src/domain/backend-view.ts';
import type { BackendId, ModelName } from '../../src/domain/ids.ts';
import type { RequestFacts } from '../../src/domain/request-facts.ts';
import type { SchedulerSettings } from '../../src/scheduler/settings.ts';
import type { BackendSnapshot, SchedulerSnapshot } from '../../src/scheduler/snapshot.ts';

export interface Asker {
  readonly facts: RequestFacts;
  readonly failedOn: ReadonlySet<BackendId>;
}

export interface PlaceableContext {
  readonly snapshot: SchedulerSnapshot;
  readonly settings: SchedulerSettings;
  /** Requests of a model over the fleet. */
  readonly inFlight: (model: ModelName) => number;
}

/** Whether a request that waits has no reason not to go there. */
export function isPlaceable(
  { facts: request, failedOn }: Asker,
  backend: BackendSnapshot,
  about: PlaceableContext,
): boolean {
  const { snapshot, settings, inFlight } = about;
  const { view: there } = backend;
  const asked = request.model;
  const model = asked === undefined ? undefined : there.models.get(asked);
  if (there.state !== 'live' && there.state !== 'degraded') return false;
  if (backend.process?.closing === true) return false;
  if (failedOn.has(there.id) || !(request.only?.has(there.id) ?? true)) return false;
  if (asked !== undefined && model === undefined) return false;
  if (isDistrusted(there, asked) && hasTrusted({ facts: request, failedOn }, snapshot)) return false;
  if (request.slotless) return true;
  const awaits = snapshot.queued.find(({ id }) => id === request.id)?.awaits;
  if (awaits !== undefined && awaits !== there.id) return false;
  if (!settings.slotsAreSoft && backend.free <= 0) return false;
  if (model === undefined) return true;
  if (request.tokensEstimated / 2 > (there.contextTokens.get(model) ?? Infinity)) return false;
  if (inFlight(model) >= (settings.modelLimits.get(model) ?? Infinity)) return false;
  const running = backend.inFlightByModel;
  const modelSlotsMax = settings.slotsAreSoft ? undefined : there.modelSlotsMax;
  if ((running.get(model) ?? 0) >= (modelSlotsMax ?? Infinity)) return false;
  if (!running.has(model) && running.size >= (there.modelsMax ?? Infinity)) return false;
  const { stickyTo } = backend;
  const mayShare = there.modelsMax !== 1 && there.loaded.has(model);
  if (stickyTo !== undefined && stickyTo !== model && !mayShare) return false;
  const claimant = snapshot.queued.find(({ id }) => id === backend.claimedFor);
  if (claimant === undefined || claimant.model === model || stickyTo === model) return true;
  return (snapshot.queued.find(({ id }) => id === request.id)?.position ?? 0) < claimant.position;
}

/** Whether a live backend could have it on which its model has not failed. */
function hasTrusted({ facts: request, failedOn }: Asker, snapshot: SchedulerSnapshot): boolean {
  return [...snapshot.backends.values()].some(({ view: there, process }) => {
    const isLive = there.state === 'live' || there.state === 'degraded';
    if (!isLive || (process !== undefined && process.phase !== 'ready')) return false;
    if (failedOn.has(there.id) || !(request.only?.has(there.id) ?? true)) return false;
    if (request.model === undefined || isDistrusted(there, request.model)) return false;
    const model = there.models.get(request.model);
    if (model === undefined) return false;
    const tokensMax = request.slotless ? Infinity : (there.contextTokens.get(model) ?? Infinity);
    return request.tokensEstimated / 2 <= tokensMax;
  });
}

function isDistrusted({ models, distrusted }: BackendView, asked: ModelName | undefined): boolean {
  const model = asked === undefined ? undefined : models.get(asked);
  return model !== undefined && distrusted?.has(model) === true;
}
