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
      'Every client gets its fair share. A conversation stays where its prompt is cached, a model where it is loaded; else the emptiest backend.',
    ordering: 'fair',
    scorers: [
      { name: 'session-affinity', weight: 4 },
      { name: 'model-loaded', weight: 3 },
      { name: 'free-slot-share', weight: 2 },
      { name: 'health', weight: 1 },
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
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;
