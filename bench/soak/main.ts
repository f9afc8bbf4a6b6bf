/** The long run: whether the router stays as it is when it is used for long, and what open streams cost. See bench/README.md. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { describeCommit, describeMachine } from '../overhead/machine.ts';
import { reportOf, type SoakResult } from './report.ts';
import { runRounds } from './rounds.ts';
import { runStreams } from './streams.ts';

const usage = `node bench/soak/main.ts [--minutes N] [--rate N] [--streams N] [--snapshots]

  --minutes N   of the long run, in rounds of two minutes; default 30, 0 = none
  --rate N      requests per second in it; default 20
  --streams N   open streams; default 2000, 0 = none
  --snapshots   write pictures of the heap after the third and the last round, and keep their folder
`;

const root = resolve(import.meta.dirname, '../..');
const say = (line: string): void => console.error(line);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      rate: { type: 'string', default: '20' },
      streams: { type: 'string', default: '2000' },
      snapshots: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const minutes = numberOf('minutes', values.minutes, 24 * 60);
  const ratePerS = numberOf('rate', values.rate, 200);
  const streams = numberOf('streams', values.streams, 2000);
  const startedAt = new Date().toISOString();
  const machine = describeMachine();
  const folder = mkdtempSync(join(tmpdir(), 'llamero-soak-'));
  const place = (name: string): string => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  const result: SoakResult = {
    commit: describeCommit(root),
    startedAt,
    machine,
    rounds:
      minutes === 0
        ? undefined
        : await runRounds({
            folder: place('rounds'),
            minutes,
            ratePerS,
            say,
            withSnapshots: values.snapshots,
          }),
    streams:
      streams === 0
        ? undefined
        : await runStreams({ folder: place('streams'), streams, intervalMs: 200, say }).catch(giveUp),
  };
  const text = reportOf(result);
  console.log(text);
  const file = join(root, 'bench', 'results', `soak-${startedAt.slice(0, 10)}-${result.commit}`);
  writeFileSync(`${file}.md`, text);
  writeFileSync(`${file}.json`, `${JSON.stringify(result, undefined, 2)}\n`);
  say(`written to ${file}.md and .json`);
  if (values.snapshots) say(`pictures of the heap: ${folder}`);
  else rmSync(folder, { recursive: true });
  if ([result.rounds, result.streams].some((part) => (part?.broken.length ?? 0) > 0)) process.exitCode = 1;
}

/** The hours before it are not to be lost. */
function giveUp(error: unknown): undefined {
  say(`no figures of open streams: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

function numberOf(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > max) throw new Error(`--${name} must be 0 to ${max}`);
  return value;
}

await main();
