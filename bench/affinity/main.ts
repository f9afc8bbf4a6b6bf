/**
 * What it is worth to send prompts where they are cached: a public trace in a simulation, and chats on real llama-servers.
 * Prints Markdown and writes it to bench/results: `node bench/affinity/main.ts [--trace FILE] [--speed 1,3,4,5]
 * [--weights 1,4] [--only simulation|chats]`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { realLlamaServer } from '../../test/real/llama-server.ts';
import { runChats } from './chats.ts';
import type { ChatPolicy, ChatResult } from './chats.ts';
import { endlessCache, slotCaches, type CacheKind } from './engine.ts';
import { simulate } from './simulation.ts';
import type { SimulatedPolicy, SimulationResult } from './simulation.ts';
import { readTrace, type TracedRequest } from './trace.ts';

const folder = resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    trace: {
      type: 'string',
      default: join(folder, '..', '..', 'shared', 'data', 'mooncake-synthetic.jsonl.gz'),
    },
    backends: { type: 'string', default: '8' },
    slots: { type: 'string', default: '8' },
    speed: { type: 'string', default: '1,3,4,5' },
    weights: { type: 'string', default: '1,4' },
    only: { type: 'string' },
  },
});

const spread = { name: 'free-slot-share', weight: 2 };
const pin = { name: 'session-affinity', weight: 2 };
/** Of `affinity.prefix.bonus`. */
const bonusMsDefault = 10_000;
/** Of `affinity.prefix.patience`. */
const patienceMsDefault = 1000;
/** 8 GiB, llama-server's default, hold so much of a model of about 8 billion weights (128 KiB a token). */
const ramBlocksDefault = 128;
const load = { 'model-loaded': 3, 'free-slot-share': 2, health: 1 };

const chatPolicies: readonly ChatPolicy[] = [
  { name: 'round robin', config: { scheduling: { picker: 'round-robin' } } },
  { name: 'session pin', config: { scheduling: { scorers: { 'session-affinity': 4, ...load } } } },
  { name: 'prefix affinity alone', config: { scheduling: { scorers: { 'prefix-affinity': 4, ...load } } } },
  { name: 'preset `default`: both', config: {} },
  { name: '… and slots named', config: { affinity: { prefix: { nameSlots: true } } } },
];

const commit = execFileSync('git', ['rev-parse', '--short=9', 'HEAD'], { encoding: 'utf8' }).trim();
const day = new Date().toISOString().slice(0, 10);
const machine = `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores; Node ${process.version}; load average before: ${loadavg()[0]?.toFixed(2)}`;
const parts = [`# Where prompts are cached\n\nCommit ${commit}, ${day}. ${machine}.`];
if (values.only !== 'chats') parts.push(await simulationReport());
if (values.only !== 'simulation') parts.push(await chatsReport());
const report = `${parts.join('\n\n')}\n`;
process.stdout.write(report);
if (values.only === undefined) writeFileSync(join(folder, 'results', `affinity-${day}-${commit}.md`), report);

async function simulationReport(): Promise<string> {
  if (!existsSync(values.trace)) return `No trace at ${values.trace}: no simulation.`;
  const trace = await readTrace(values.trace);
  const tokens = trace.reduce((sum, { inputTokens }) => sum + inputTokens, 0);
  return [
    `## A public trace, simulated: ${trace.length} requests, ${(tokens / 1e6).toFixed(1)} M prompt tokens`,
    `Mooncake, FAST '25, \`synthetic\`. ${values.backends} backends of ${values.slots} slots. The oracle has every prompt that anybody sent cached everywhere. *Pin*: by the first two blocks, as a fingerprint of the opening would. *By turns*: nobody passes or waits for the sake of a cache.`,
    ...[endlessCache, slotCaches(ramBlocksDefault)].map((cache) => simulationTable(trace, cache)),
  ].join('\n\n');
}

function simulationTable(trace: readonly TracedRequest[], cache: CacheKind): string {
  const [backends, slots] = [Number(values.backends), Number(values.slots)];
  const rows = numbers(values.speed).flatMap((speed) =>
    simulatedPolicies().map((policy) => ({
      speed,
      result: simulate(trace, policy, { backends, slots, speed, cache }),
    })),
  );
  return [
    `Engines with ${cache.name}:\n`,
    '| speed | policy | from cache | of the oracle | requests max/mean | work max/mean | first token, mean | p99 |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map(({ speed, result }) => `| ${speed} × | ${simulationCells(result).join(' | ')} |`),
  ].join('\n');
}

function simulatedPolicies(): SimulatedPolicy[] {
  const byTurns = { loadFactor: 1.25, bonusMs: 0, patienceMs: 0 };
  const inForce = { loadFactor: 1.25, bonusMs: bonusMsDefault, patienceMs: patienceMsDefault };
  const prefix = { name: 'prefix-affinity', weight: 4 };
  return [
    { ...byTurns, name: 'round robin', scorers: [] },
    { ...byTurns, name: 'emptiest backend', scorers: [spread] },
    { ...byTurns, name: 'pin', scorers: [{ ...pin, weight: 4 }, spread] },
    { ...byTurns, name: 'prefix affinity by turns', scorers: [prefix, pin, spread] },
    { ...inForce, name: '… with bonus', scorers: [prefix, pin, spread], patienceMs: 0 },
    ...numbers(values.weights).map((weight) => ({
      ...inForce,
      name: `… with bonus and patience, weight ${weight}`,
      scorers: [{ ...prefix, weight }, pin, spread],
    })),
    {
      name: '… unbounded, with patience',
      scorers: [prefix, pin, spread],
      loadFactor: Infinity,
      bonusMs: Infinity,
      patienceMs: patienceMsDefault,
    },
  ];
}

function simulationCells(result: SimulationResult): string[] {
  return [
    result.policy,
    percent(result.cachedShare),
    percent(result.cachedShare / result.oracleShare),
    result.requestsMaxToMean.toFixed(2),
    result.workMaxToMean.toFixed(2),
    seconds(result.firstTokenMsMean),
    seconds(result.firstTokenMsP99),
  ];
}

async function chatsReport(): Promise<string> {
  const { path, missing } = realLlamaServer();
  if (path === undefined) return `No llama-server: ${missing}. No chats.`;
  const results: ChatResult[] = [];
  for (const policy of chatPolicies) results.push(await runChats(policy));
  return [
    '## Chats on three real llama-servers',
    '4 users at once, 3 conversations each of 5 turns, 2 system texts of 500 words; 2 slots a server, no RAM cache. Shares by `timings` of the engines.',
    [
      '| policy | prompt tokens from cache | time on prompts | whole run | requests | requests max/mean |',
      '| --- | --- | --- | --- | --- | --- |',
      ...results.map(
        (row) =>
          `| ${row.policy} | ${percent(row.cachedShare)} | ${seconds(row.promptMs)} | ${seconds(row.elapsedMs)} | ${row.requests} | ${row.maxToMean.toFixed(2)} |`,
      ),
    ].join('\n'),
  ].join('\n\n');
}

function numbers(list: string): number[] {
  return list.split(',').map(Number);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
