/** Command line of the bench. */
import { parseArgs } from 'node:util';
import { scenarios } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';
import { stackNames } from './stacks.ts';
import type { StackName } from './stacks.ts';

export interface Options {
  readonly rounds: number;
  /** Scales every duration. */
  readonly pace: number;
  readonly stacks: readonly StackName[];
  readonly scenarios: readonly Scenario[];
  readonly help: boolean;
}

export const usage = `npm run bench:overhead -- [--quick] [--rounds N] [--only NAME,NAME]

  --quick     one short round, under a minute: for a look, not for a comparison
  --rounds N  interleaved rounds, medians are taken over them (default 3)
  --only      proxies (${stackNames.join(', ')})
              and measurements (${scenarios.map(({ name }) => name).join(', ')})
`;

/** Throws with a readable message on anything it does not know. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string', multiple: true },
      help: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 50) throw new Error('--rounds must be 1 to 50');
  const only = (values.only ?? []).flatMap((list) => list.split(','));
  const stacks = stackNames.filter((name) => only.includes(name));
  const chosen = scenarios.filter(({ name }) => only.includes(name));
  const unknown = only.find(
    (name) => !stacks.some((stack) => stack === name) && !chosen.some((s) => s.name === name),
  );
  if (unknown !== undefined) throw new Error(`--only: nothing is called "${unknown}"`);
  return {
    rounds,
    pace: values.quick ? 0.4 : 1,
    stacks: stacks.length > 0 ? stacks : stackNames,
    scenarios: chosen.length > 0 ? chosen : scenarios,
    help: values.help,
  };
}
