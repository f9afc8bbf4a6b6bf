/**
 * How many swaps a box makes, and how long requests wait for them: the real scheduler in virtual time, with several settings, on
 * several kinds of traffic; and beside the best that could be done, on small cases. Prints Markdown and writes it to
 * bench/results: `node bench/swaps/main.ts [--load 8000] [--runs 8] [--first 101] [--cases 300]`.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { holding, llamaSwap, preset, type Contestant } from './contestants.ts';
import { seconds } from './numbers.ts';
import { smallCasesTable } from './small-cases.ts';
import { trafficTable } from './traffic-table.ts';
import { traffics, type Traffic } from './workloads.ts';

const { values } = parseArgs({
  options: {
    load: { type: 'string', default: '8000' },
    'long-load': { type: 'string', default: '60000' },
    stop: { type: 'string', default: '500' },
    slots: { type: 'string', default: '4' },
    runs: { type: 'string', default: '8' },
    first: { type: 'string', default: '101' },
    cases: { type: 'string', default: '300' },
  },
});
const box = { loadMs: Number(values.load), stopMs: Number(values.stop), slots: Number(values.slots) };
const slowBox = { ...box, loadMs: Number(values['long-load']) };
const runs = Array.from({ length: Number(values.runs) }, (_, at) => Number(values.first) + at);

const byLastUse = (contestant: Contestant): Contestant => ({
  ...contestant,
  name: `${contestant.name}, by last use`,
  isByLastUse: true,
});
const holds = [0, 0.125, 0.25, 0.5, 1].map(holding);
const held = traffics.filter(({ name }) => /^[24] agents|^2 slow|^6 people/.test(name));

const commit = execFileSync('git', ['rev-parse', '--short=9', 'HEAD'], { encoding: 'utf8' }).trim();
const day = new Date().toISOString().slice(0, 10);
const report = `${[
  `# Swaps\n\nCommit ${commit}, ${day}. Boxes with ${box.slots} slots for each model; a stop takes ${seconds(box.stopMs)}. Each row is ${runs.length} cases of the traffic, numbers ${runs[0]} to ${runs.at(-1)}: requests, loads and time are means, waits those of all. Virtual time: the same on every machine.`,
  `## Traffic, a load takes ${seconds(box.loadMs)}`,
  trafficTable({ traffics, contestantsFor, box, runs }),
  `## By how much longer others wait, a load takes ${seconds(box.loadMs)}`,
  trafficTable({ traffics: held, contestantsFor: () => holds, box, runs }),
  `## By how much longer others wait, a load takes ${seconds(slowBox.loadMs)}`,
  trafficTable({ traffics: held, contestantsFor: () => [llamaSwap, ...holds], box: slowBox, runs }),
  '## Small cases, beside the best plan',
  smallCasesTable({ contestants: [llamaSwap, preset], cases: Number(values.cases), box }),
].join('\n\n')}\n`;
process.stdout.write(report);
writeFileSync(join(resolve(import.meta.dirname, '..', 'results'), `swaps-${day}-${commit}.md`), report);

/** Where there is a choice of victims, it makes a difference which. */
function contestantsFor({ places }: Traffic): readonly Contestant[] {
  return places === 1 ? [llamaSwap, preset] : [byLastUse(llamaSwap), byLastUse(preset), preset];
}
