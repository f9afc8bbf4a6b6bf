/** From the configuration to the scheduler's own settings: the preset, and what single keys override. Pure. */
import { presets } from '../scheduler/presets.ts';
import type { SchedulerSettings, WeightedPolicy } from '../scheduler/settings.ts';
import type { Config } from './schema.ts';

/** Enough to see why the winner won; a decision over a thousand backends stays small. */
const decisionCandidatesMax = 16;

export function toSchedulerSettings({ scheduling, affinity: { session } }: Config): SchedulerSettings {
  const preset = presets[scheduling.preset];
  return {
    ordering: scheduling.ordering ?? preset.ordering,
    scorers: scheduling.scorers === undefined ? preset.scorers : weighted(scheduling.scorers),
    picker: scheduling.picker ?? preset.picker,
    queueMax: scheduling.queueMax,
    queueTimeoutMs: endlessIfZero(scheduling.queueTimeout),
    deadWaitMs: scheduling.deadWait,
    priorityAgeingMs: endlessIfZero(scheduling.priorityAgeing),
    modelAffinityBonusMs: scheduling.modelAffinityBonus ?? preset.modelAffinityBonusMs,
    overtakenMax: scheduling.maxOvertake,
    stickyDelayMs: scheduling.stickyDelay,
    modelLimits: new Map(Object.entries(scheduling.modelLimits)),
    admissionLimits: new Map(),
    residency: new Map(),
    swapPatienceMs: endlessIfZero(scheduling.maxWait),
    sessionTtlMs: session.ttl,
    sessionsMax: session.enabled ? session.max : 0,
    lingerMsMax: scheduling.lingerMax,
    decisionCandidatesMax,
  };
}

function weighted(weights: Readonly<Partial<Record<string, number>>>): WeightedPolicy[] {
  return Object.entries(weights).map(([name, weight = 0]) => ({ name, weight }));
}

function endlessIfZero(durationMs: number): number {
  return durationMs === 0 ? Number.POSITIVE_INFINITY : durationMs;
}
