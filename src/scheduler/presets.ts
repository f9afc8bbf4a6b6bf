/** Sets of policies that go together, by the name that a configuration starts from. */
import type { SchedulerSettings, WeightedPolicy } from './settings.ts';

export interface Preset {
  readonly summary: string;
  readonly ordering: SchedulerSettings['ordering'];
  readonly scorers: readonly WeightedPolicy[];
  readonly picker: string;
  readonly modelAffinityBonusMs: number;
}

export const presets = {
  default: {
    summary:
      'Every client gets its fair share. A conversation stays where its prompt is cached, a model where it is loaded; else the emptiest backend; among such the one with the idlest GPUs.',
    ordering: 'fair',
    scorers: [
      { name: 'prefix-affinity', weight: 4 },
      { name: 'session-affinity', weight: 2 },
      { name: 'model-loaded', weight: 3 },
      { name: 'free-slot-share', weight: 2 },
      { name: 'health', weight: 1 },
      // Fully busy GPUs weigh as much as one slot of four, for they are busy with our own requests, too.
      { name: 'gpu-load', weight: 0.5 },
    ],
    picker: 'max-score',
    modelAffinityBonusMs: 2000,
  },
  'llamacpp-ha': {
    summary:
      'First in, first out. A conversation goes back to its backend when that is free; else backends take turns per model.',
    ordering: 'fifo',
    scorers: [{ name: 'session-affinity', weight: 1 }],
    picker: 'max-score',
    modelAffinityBonusMs: 0,
  },
  nomyo: {
    summary:
      'Nobody waits here. Where the model is loaded and has room, else where there is room, else where fewest of its requests are; of equals one at random. A backend whose last check failed comes after all others, a conversation with a warm prompt before them.',
    ordering: 'fifo',
    scorers: [
      // Each outweighs all that come after it.
      { name: 'health', weight: 20 },
      { name: 'warm-session', weight: 5 },
      { name: 'loaded-then-free', weight: 1 },
    ],
    picker: 'random-best',
    modelAffinityBonusMs: 0,
  },
  'nomyo-priority': {
    summary:
      'Like `nomyo`, but by the share of the slots in use, so that bigger backends get more; of equals the first in the configuration.',
    ordering: 'fifo',
    scorers: [
      { name: 'health', weight: 20 },
      { name: 'warm-session', weight: 5 },
      { name: 'loaded-then-free-share', weight: 1 },
    ],
    picker: 'first-best',
    modelAffinityBonusMs: 0,
  },
  'ollama-lb': {
    summary:
      'Nobody waits here. The lowest 10 × requests + load of the GPUs in percent; equals take turns. Models do not matter.',
    ordering: 'fifo',
    scorers: [{ name: 'requests-and-gpu-load', weight: 1 }],
    picker: 'max-score',
    modelAffinityBonusMs: 0,
  },
  'llama-swap': {
    summary:
      'Everything for a loaded model goes to it at once; the others wait by priority, then arrival, until their model can be loaded without stopping a busy one, however long that takes.',
    ordering: 'fifo',
    scorers: [{ name: 'model-loaded', weight: 1 }],
    picker: 'max-score',
    modelAffinityBonusMs: 0,
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;
