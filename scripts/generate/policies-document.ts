/** docs/policies.md: how a backend is chosen, from the registry of policies and the presets. */
import { filters, pickers, scorers } from '../../src/scheduler/policies/index.ts';
import { presets } from '../../src/scheduler/presets.ts';
import type { Preset, PresetName } from '../../src/scheduler/presets.ts';
import { keysByPreset } from '../../src/config/preset-keys.ts';
import { formatDuration } from '../../src/config/values.ts';
import type { GeneratedDocument } from './document.ts';
import { generatedNote, table } from './document.ts';

const intro = `${generatedNote}

# Policies

A waiting request goes to a backend in three steps. *Filters* say where it cannot go. *Scorers* rate what is left, each
from 0 to 1; the ratings are multiplied by their weights and added up. The *picker* chooses by the sums. \`/api/decisions\`
shows each step of every recent decision.

\`scheduling.preset\` chooses a set of policies; \`scheduling.ordering\`, \`scorers\`, \`picker\`, \`modelAffinityBonus\` and its
other keys replace its parts one by one:

\`\`\`yaml
scheduling:
  preset: default
  scorers: { session-affinity: 4, utilisation: 1 }
  picker: power-of-two
\`\`\``;

export const policiesDocument: GeneratedDocument = {
  path: 'docs/policies.md',
  render: () => {
    const sections = [
      intro,
      `## Presets\n\n${table(['preset', 'ordering', 'scorers', 'picker', '`modelAffinityBonus`', 'other keys', 'what for'], presetRows())}`,
      `## Filters\n\nAll of them are always in force.\n\n${policyTable('filter', filters)}`,
      `## Scorers\n\nOnly those with a weight count.\n\n${policyTable('scorer', scorers)}`,
      `## Pickers\n\n${policyTable('picker', pickers)}`,
    ];
    return `${sections.join('\n\n')}\n`;
  },
};

function presetRows(): string[][] {
  return Object.entries<Preset>(presets).map(([name, preset]) => [
    `\`${name}\``,
    preset.ordering,
    preset.scorers.map((scorer) => `\`${scorer.name}\` ${scorer.weight}`).join(', '),
    `\`${preset.picker}\``,
    formatDuration(preset.modelAffinityBonusMs),
    otherKeys(name as PresetName),
    preset.summary,
  ]);
}

function otherKeys(name: PresetName): string {
  const keys = Object.entries(keysByPreset[name]).flatMap(([key, value]) =>
    typeof value === 'object'
      ? Object.entries(value).map(([inner, each]) => `\`${key}.${inner}\` ${each}`)
      : [`\`${key}\` ${value}`],
  );
  return keys.length === 0 ? '–' : keys.join(', ');
}

function policyTable(kind: string, policies: readonly { name: string; summary: string }[]): string {
  return table(
    [kind, 'what it does'],
    policies.map(({ name, summary }) => [`\`${name}\``, summary]),
  );
}
