/** Whose scheduling is compared: the real scheduler with the settings of a preset, and what is changed about them. */
import { loadConfigText } from '../../src/config/load.ts';
import { toSchedulerSettings } from '../../src/config/settings.ts';
import { localHost } from '../../src/domain/backend-view.ts';
import type { PresetName } from '../../src/scheduler/presets.ts';
import { createGroupPlanner } from '../../src/scheduler/residency/groups.ts';
import { createMemoryPlanner } from '../../src/scheduler/residency/memory.ts';
import type { ResidencyPlanner } from '../../src/scheduler/residency/planner.ts';
import type { SchedulerSettings } from '../../src/scheduler/settings.ts';
import type { Workload } from './workloads.ts';

export interface Contestant {
  readonly name: string;
  readonly preset: PresetName;
  readonly more?: Partial<SchedulerSettings>;
  /** Of several idle models the one that was not used for longest makes room. */
  readonly isByLastUse?: boolean;
}

export const llamaSwap: Contestant = { name: '`llama-swap`', preset: 'llama-swap' };
export const preset: Contestant = { name: '`default`', preset: 'default' };

export function holding(swapHold: number): Contestant {
  return { name: `\`swapHold: ${swapHold}\``, preset: 'default', more: { swapHold } };
}

export function settingsFor({ preset: name, more }: Contestant, workload: Workload): SchedulerSettings {
  const loaded = loadConfigText({ file: 'bench.yaml', text: `scheduling: { preset: ${name} }`, env: {} });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('; '));
  return {
    ...toSchedulerSettings(loaded.config),
    residency: new Map([[localHost, plannerFor(workload)]]),
    queueMax: Infinity,
    queueTimeoutMs: Infinity,
    ...more,
  };
}

function plannerFor({ models, places }: Workload): ResidencyPlanner {
  if (places === 1) {
    return createGroupPlanner([
      { name: 'all', swap: true, exclusive: true, persistent: false, members: models },
    ]);
  }
  const need = { vramBytes: 1, ramBytes: undefined };
  return createMemoryPlanner({ budget: { vramBytes: places }, needOf: () => need });
}
