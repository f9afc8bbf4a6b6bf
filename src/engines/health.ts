/**
 * Whether a backend may be given requests: a pure state machine over what probes and requests saw of it. Keeps no
 * timers and asks nobody.
 */
import type { BackendState } from '../domain/backend-view.ts';

export interface HealthSettings {
  /** Failed probes in a row until it is dead; a refused connection counts at once. */
  readonly failures: number;
  /** Good probes in a row until a dead one takes requests again. */
  readonly successes: number;
  /** Failed requests in a row until it is dead. */
  readonly breakerFailures: number;
}

export interface Health {
  /** unknown: not yet seen, or answering but still loading its model: takes no requests, and nobody has given it up. */
  readonly state: Exclude<BackendState, 'draining'>;
  /** Grows by one with each return to service after having left it. */
  readonly epoch: number;
  readonly probeFailures: number;
  readonly probeSuccesses: number;
  readonly requestFailures: number;
  /** It has been in service before: the next time is a return. */
  readonly served: boolean;
  /**
   * Just back: one more failure of any sort and it is dead again. probe: until the next good probe. request: until a
   * request succeeds, for it answered probes well while requests failed.
   */
  readonly probation: 'none' | 'probe' | 'request';
  /** How often in a row failing requests made it dead; each doubles the time that it is left alone. */
  readonly trips: number;
  /** Clock time before which good probes do not bring it back. */
  readonly heldUntilMs: number;
}

export type HealthEvent =
  | { readonly type: 'probeReady' }
  | { readonly type: 'probeLoading' }
  | { readonly type: 'probeFailed'; readonly refused: boolean }
  | { readonly type: 'requestFailed' }
  | { readonly type: 'requestSucceeded' };

/** First time that a backend is left alone after its requests failed, and the longest. */
const holdMsMin = 1000;
const holdMsMax = 60_000;

/** `epoch`: that of a backend this one takes the place of, plus one. */
export function createHealth(epoch = 0): Health {
  return {
    state: 'unknown',
    epoch,
    probeFailures: 0,
    probeSuccesses: 0,
    requestFailures: 0,
    served: false,
    probation: 'none',
    trips: 0,
    heldUntilMs: 0,
  };
}

/** The health after one event. */
export function nextHealth(
  health: Health,
  event: HealthEvent,
  settings: HealthSettings,
  nowMs: number,
): Health {
  if (event.type === 'probeReady') return afterGoodProbe(health, settings, nowMs);
  if (event.type === 'probeFailed') return afterFailedProbe(health, event.refused, settings);
  if (event.type === 'requestFailed') return afterFailedRequest(health, settings, nowMs);
  if (event.type === 'requestSucceeded') return afterGoodRequest(health);
  return { ...health, state: 'unknown', probeFailures: 0, probeSuccesses: 0, requestFailures: 0 };
}

function inService(health: Health): boolean {
  return health.state === 'live' || health.state === 'degraded';
}

function afterGoodProbe(before: Health, settings: HealthSettings, nowMs: number): Health {
  const health: Health = { ...before, probeFailures: 0 };
  if (inService(health)) {
    const probation = health.probation === 'request' ? 'request' : 'none';
    return { ...health, probation, state: probation === 'none' ? 'live' : 'degraded' };
  }
  const probeSuccesses = health.probeSuccesses + 1;
  const enough = health.state === 'unknown' || probeSuccesses >= settings.successes;
  if (!enough || nowMs < health.heldUntilMs) return { ...health, probeSuccesses };
  const back = { ...health, served: true, probeSuccesses: 0, requestFailures: 0 };
  if (!health.served) return { ...back, state: 'live' };
  const probation = health.trips > 0 ? 'request' : 'probe';
  return { ...back, state: 'degraded', epoch: health.epoch + 1, probation };
}

function afterFailedProbe(health: Health, refused: boolean, settings: HealthSettings): Health {
  const probeFailures = health.probeFailures + 1;
  const failed = { ...health, probeFailures, probeSuccesses: 0 };
  const onProbation = inService(health) && health.probation !== 'none';
  if (refused || onProbation || probeFailures >= settings.failures) return { ...failed, state: 'dead' };
  return inService(health) ? { ...failed, state: 'degraded' } : failed;
}

function afterFailedRequest(health: Health, settings: HealthSettings, nowMs: number): Health {
  // Requests that were under way when it went out of service say nothing new.
  if (!inService(health)) return health;
  const requestFailures = health.requestFailures + 1;
  if (health.probation === 'none' && requestFailures < settings.breakerFailures) {
    return { ...health, requestFailures };
  }
  const holdMs = Math.min(holdMsMin * 2 ** health.trips, holdMsMax);
  return {
    ...health,
    state: 'dead',
    requestFailures: 0,
    probeSuccesses: 0,
    trips: health.trips + 1,
    heldUntilMs: nowMs + holdMs,
  };
}

function afterGoodRequest(health: Health): Health {
  if (health.requestFailures === 0 && health.trips === 0 && health.probation !== 'request') return health;
  const relieved: Health = { ...health, requestFailures: 0, trips: 0 };
  if (!inService(health) || health.probation !== 'request') return relieved;
  return { ...relieved, probation: 'none', state: health.probeFailures === 0 ? 'live' : 'degraded' };
}
