/** Who asks a box for which model, and when. Clients either come at given times, or ask again some time after their answer. */
import { createRandom, type Random } from '../../src/base/random.ts';

export interface Ask {
  readonly model: string;
  /** How long the engine works on it. */
  readonly workMs: number;
}

/** Asks one after the other: each `pauseMs` after the answer to the one before, the first one after the beginning. */
export interface Client {
  readonly asks: readonly (Ask & { readonly pauseMs: number })[];
}

export interface Workload {
  readonly name: string;
  readonly models: readonly string[];
  readonly clients: readonly Client[];
}

const minuteMs = 60_000;

export function workloads(): readonly Workload[] {
  return [
    poisson({ name: 'even, 6 a minute', models: 2, perMinute: 6, skew: 0, minutes: 240 }),
    poisson({ name: 'even, 20 a minute', models: 3, perMinute: 20, skew: 0, minutes: 240 }),
    poisson({ name: 'even, 60 a minute', models: 4, perMinute: 60, skew: 0, minutes: 120 }),
    poisson({ name: 'one popular of 6, 30 a minute', models: 6, perMinute: 30, skew: 1.5, minutes: 240 }),
    agents({ name: '2 agents, a model each', models: 2, agents: 2, pauseMs: 1500, turns: 400 }),
    agents({ name: '4 agents, a model each', models: 4, agents: 4, pauseMs: 1500, turns: 200 }),
    agents({ name: '2 slow agents', models: 2, agents: 2, pauseMs: 20_000, turns: 200 }),
    pipelines({ name: '2 clients that embed, then chat', clients: 2, turns: 200 }),
    chats({ name: '6 people who chat, 3 models', models: 3, people: 6, hours: 6 }),
  ];
}

function poisson(options: {
  name: string;
  models: number;
  perMinute: number;
  skew: number;
  minutes: number;
}): Workload {
  const random = createRandom(options.models * 1000 + options.perMinute);
  const models = names(options.models);
  const clients: Client[] = [];
  for (let atMs = 0; atMs < options.minutes * minuteMs;) {
    atMs += exponential(random, minuteMs / options.perMinute);
    const model = pick(random, models, options.skew);
    clients.push({ asks: [{ model, workMs: exponential(random, 2000), pauseMs: atMs }] });
  }
  return { name: options.name, models, clients };
}

/** Programs that work through a task with a model of their own: short pauses for tools, and long ones between tasks. */
function agents(options: {
  name: string;
  models: number;
  agents: number;
  pauseMs: number;
  turns: number;
}): Workload {
  const models = names(options.models);
  const clients = Array.from({ length: options.agents }, (_, at): Client => {
    const random = createRandom(at + 1);
    const model = models[at % models.length] ?? '';
    const asks = Array.from({ length: options.turns }, (_each, turn) => ({
      model,
      workMs: 500 + exponential(random, 2500),
      pauseMs: turn % 25 === 0 ? exponential(random, minuteMs) : exponential(random, options.pauseMs),
    }));
    return { asks };
  });
  return { name: options.name, models, clients };
}

/** Every question needs one model and then at once the other. */
function pipelines(options: { name: string; clients: number; turns: number }): Workload {
  const models = names(2);
  const clients = Array.from({ length: options.clients }, (_, at): Client => {
    const random = createRandom(at + 1);
    const asks = Array.from({ length: options.turns }, () => [
      { model: 'a', workMs: 100, pauseMs: exponential(random, 90_000) },
      { model: 'b', workMs: 500 + exponential(random, 4000), pauseMs: 50 },
    ]);
    return { asks: asks.flat() };
  });
  return { name: options.name, models, clients };
}

/** A few questions to one model, some seconds to read between them; then nothing for minutes, then maybe another model. */
function chats(options: { name: string; models: number; people: number; hours: number }): Workload {
  const models = names(options.models);
  const clients = Array.from({ length: options.people }, (_, at): Client => {
    const random = createRandom(at + 1);
    const asks: (Ask & { pauseMs: number })[] = [];
    for (let spentMs = 0; spentMs < options.hours * 60 * minuteMs;) {
      const model = pick(random, models, 0.8);
      const questions = 1 + Math.floor(random.next() * 8);
      for (let question = 0; question < questions; question += 1) {
        const pauseMs = exponential(random, question === 0 ? 12 * minuteMs : 25_000);
        const workMs = 1000 + exponential(random, 7000);
        asks.push({ model, workMs, pauseMs });
        spentMs += pauseMs + workMs;
      }
    }
    return { asks };
  });
  return { name: options.name, models, clients };
}

function names(count: number): string[] {
  return 'abcdefgh'.slice(0, count).split('');
}

/** By rank: the n-th is asked for n ^ skew times less than the first. */
export function pick(random: Random, models: readonly string[], skew: number): string {
  const shares = models.map((_, rank) => 1 / (rank + 1) ** skew);
  let left = random.next() * shares.reduce((sum, share) => sum + share, 0);
  return models.find((_, rank) => (left -= shares[rank] ?? 0) <= 0) ?? models[0] ?? '';
}

export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random.next());
}
