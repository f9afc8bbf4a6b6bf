/**
 * What a preset means for keys of the configuration that choose no policy: values that stand in for the usual defaults.
 * Whatever the file says itself wins.
 */
import type { PresetName } from '../scheduler/presets.ts';

type Value = string | number | boolean;

/** A section with its keys, or a key of the top level, as they would be written in the file. */
export type PresetKeys = Readonly<Record<string, Value | Readonly<Record<string, Value>>>>;

/** Slots only steer, and no backend is kept for the model that it served last. */
const withoutQueue = { slotLimits: 'soft', stickyDelay: '0s' };

const nomyo: PresetKeys = {
  scheduling: withoutQueue,
  probes: { modelFailureWindow: '5m' },
  repairs: { trimContext: true, dropTools: true, dropImages: true },
  ensemblePrefix: 'moe-',
};

export const keysByPreset: Readonly<Record<PresetName, PresetKeys>> = {
  default: {},
  'llamacpp-ha': {},
  nomyo,
  'nomyo-priority': nomyo,
  'ollama-lb': {
    scheduling: withoutQueue,
    probes: { failures: 3, breakerFailures: 3, deadInterval: '30s', modelFailureWindow: '0s' },
  },
  'llama-swap': {
    scheduling: { ...withoutQueue, queueTimeout: '0s', priorityAgeing: '0s', maxWait: '0s', swapHold: 0 },
  },
};

/** The plain configuration with the keys of its preset filled in. What is not as it should be is left to the schema. */
export function withPresetKeys(plain: Record<string, unknown>): Record<string, unknown> {
  const { scheduling } = plain;
  const preset = isMap(scheduling) ? scheduling['preset'] : undefined;
  if (typeof preset !== 'string' || !Object.hasOwn(keysByPreset, preset)) return plain;
  const filled = { ...plain };
  for (const [key, value] of Object.entries(keysByPreset[preset as PresetName])) {
    if (typeof value !== 'object') {
      filled[key] ??= value;
      continue;
    }
    const written = filled[key] ?? {};
    if (isMap(written)) filled[key] = { ...value, ...written };
  }
  return filled;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
