/** From the configuration to the scheduler's own settings: the preset, and what single keys override. Pure. */
import { localHost } from '../domain/backend-view.ts';
import type { ModelName } from '../domain/ids.ts';
import { prefixAffinity } from '../scheduler/policies/scorers/prefix-affinity.ts';
import { presets } from '../scheduler/presets.ts';
import type { SchedulerSettings, WeightedPolicy } from '../scheduler/settings.ts';
import { noModels, type ModelsConfig } from './models.ts';
import { createPlanner, type MeasuredNeeds } from './resolve-routing.ts';
import type { Config } from './schema.ts';

/** Enough to see why the winner won; a decision over a thousand backends stays small. */
const decisionCandidatesMax = 16;

export function toSchedulerSettings(
  { scheduling, affinity: { session, prefix } }: Config,
  models: ModelsConfig = noModels,
  measured?: MeasuredNeeds,
): SchedulerSettings {
  const preset = presets[scheduling.preset];
  return {
    ordering: scheduling.ordering ?? preset.ordering,
    scorers: scheduling.scorers === undefined ? preset.scorers : weighted(scheduling.scorers),
    picker: scheduling.picker ?? preset.picker,
    queueMax: scheduling.queueMax,
    slotsAreSoft: scheduling.slotLimits === 'soft',
    queueTimeoutMs: endlessIfZero(scheduling.queueTimeout),
    deadWaitMs: scheduling.deadWait,
    priorityAgeingMs: endlessIfZero(scheduling.priorityAgeing),
    modelAffinityBonusMs: scheduling.modelAffinityBonus ?? preset.modelAffinityBonusMs,
    overtakenMax: scheduling.maxOvertake,
    stickyDelayMs: scheduling.stickyDelay,
    modelLimits: new Map(Object.entries(scheduling.modelLimits)),
    admissionLimits: admissionLimits(models),
    residency: new Map([[localHost, createPlanner(models.routing, measured)]]),
    swapPatienceMs: endlessIfZero(scheduling.maxWait),
    swapHold: scheduling.swapHold,
    sessionTtlMs: session.ttl,
    sessionsMax: session.enabled ? session.max : 0,
    promptBytesMax: prefix.memory,
    promptLoadFactor: prefix.loadFactor === 0 ? Number.POSITIVE_INFINITY : prefix.loadFactor,
    promptBonusMs: prefix.bonus,
    promptPatienceMs: prefix.patience,
    namesSlots: prefix.nameSlots,
    lingerMsMax: scheduling.lingerMax,
    decisionCandidatesMax,
  };
}

/** Whether what is cached of prompts decides anything, so that it is worth looking for. */
export function looksAtPrompts({ scheduling, affinity }: Config): boolean {
  if (affinity.prefix.nameSlots) return true;
  if (affinity.prefix.memory === 0) return false;
  const { scorers } = scheduling;
  if (scorers !== undefined) return Object.hasOwn(scorers, prefixAffinity.name);
  return presets[scheduling.preset].scorers.some(({ name }) => name === prefixAffinity.name);
}

/** By whose recipe a conversation is recognised that names itself by no header; undefined = by none. */
export function fingerprintRecipe({ scheduling, affinity }: Config): 'own' | 'nomyo' | undefined {
  const { enabled, fingerprint, recipe } = affinity.session;
  if (!enabled || !fingerprint) return undefined;
  return recipe ?? (scheduling.preset.startsWith('nomyo') ? 'nomyo' : 'own');
}

/** For backends that neither tell nor are configured. */
export function backendDefaults({ scheduling }: Config): {
  readonly slots: number;
  readonly modelsMax: number | undefined;
} {
  return { slots: scheduling.defaultSlots, modelsMax: scheduling.defaultMaxModels };
}

/** A model that sets no limit of its own has the queue, which is bounded as a whole. */
function admissionLimits({ models }: ModelsConfig): Map<ModelName, number> {
  const limits = new Map<ModelName, number>();
  for (const { id, concurrencyLimit } of models.values())
    if (concurrencyLimit > 0) limits.set(id, concurrencyLimit);
  return limits;
}

function weighted(weights: Readonly<Partial<Record<string, number>>>): WeightedPolicy[] {
  return Object.entries(weights).map(([name, weight = 0]) => ({ name, weight }));
}

function endlessIfZero(durationMs: number): number {
  return durationMs === 0 ? Number.POSITIVE_INFINITY : durationMs;
}
