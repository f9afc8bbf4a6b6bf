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
  /** How many of them may be loaded at a time. */
  readonly places: number;
  readonly clients: readonly Client[];
}

/** One kind of traffic; every number is another case of it. */
export interface Traffic {
  readonly name: string;
  /** 1 = one model at a time. */
  readonly places: number;
  draw(run: number): Workload;
}

type Streams = (stream: number) => Random;

const minuteMs = 60_000;

export const traffics: readonly Traffic[] = [
  traffic('even, 6 a minute', 1, (streams) => poisson(streams(1), { models: 2, perMinute: 6, hours: 4 })),
  traffic('even, 20 a minute', 1, (streams) => poisson(streams(1), { models: 3, perMinute: 20, hours: 4 })),
  traffic('even, 60 a minute', 1, (streams) => poisson(streams(1), { models: 4, perMinute: 60, hours: 2 })),
  traffic('one popular of 6, 30 a minute', 1, (streams) =>
    poisson(streams(1), { models: 6, perMinute: 30, hours: 4, skew: 1.5 }),
  ),
  traffic('2 agents, a model each', 1, (streams) => agents(streams, { count: 2, pauseMs: 1500, turns: 400 })),
  traffic('4 agents, a model each', 1, (streams) => agents(streams, { count: 4, pauseMs: 1500, turns: 200 })),
  traffic('2 slow agents', 1, (streams) => agents(streams, { count: 2, pauseMs: 20_000, turns: 200 })),
  traffic('2 clients that embed, then chat', 1, (streams) => pipelines(streams, { count: 2, turns: 200 })),
  traffic('6 people who chat, 3 models', 1, (streams) => chats(streams, { people: 6, models: 3, hours: 6 })),
  traffic('3 of 6 fit, one popular, 12 a minute', 3, (streams) =>
    poisson(streams(1), { models: 6, perMinute: 12, hours: 4, skew: 1.5 }),
  ),
  traffic('4 of 8 fit, 10 a minute', 4, (streams) =>
    poisson(streams(1), { models: 8, perMinute: 10, hours: 4, skew: 1 }),
  ),
  traffic('2 of 3 fit, 3 agents', 2, (streams) => agents(streams, { count: 3, pauseMs: 1500, turns: 300 })),
  traffic('2 of 4 fit, an agent and 6 people', 2, (streams) => [
    ...agents(streams, { count: 1, pauseMs: 3000, turns: 1500 }),
    ...chats(streams, { people: 6, models: 3, hours: 4 }, 'bcd'),
  ]),
  traffic('2 of 5 fit, 10 people', 2, (streams) => chats(streams, { people: 10, models: 5, hours: 6 })),
];

function traffic(name: string, places: number, clientsOf: (streams: Streams) => readonly Client[]): Traffic {
  return {
    name,
    places,
    draw(run) {
      const clients = clientsOf((stream) => createRandom(run * 100_000 + stream));
      const models = new Set(clients.flatMap(({ asks }) => asks.map(({ model }) => model)));
      return { name, places, models: [...models].sort(), clients };
    },
  };
}

function poisson(
  random: Random,
  { models, perMinute, hours, skew = 0 }: { models: number; perMinute: number; hours: number; skew?: number },
): readonly Client[] {
  const clients: Client[] = [];
  for (let atMs = 0; atMs < hours * 60 * minuteMs;) {
    atMs += exponential(random, minuteMs / perMinute);
    const model = pick(random, names(models), skew);
    clients.push({ asks: [{ model, workMs: exponential(random, 2000), pauseMs: atMs }] });
  }
  return clients;
}

/** Programs that work through a task with a model of their own: short pauses for tools, and long ones between tasks. */
function agents(
  streams: Streams,
  { count, pauseMs, turns }: { count: number; pauseMs: number; turns: number },
): readonly Client[] {
  return names(count).map((model, at) => {
    const random = streams(at + 1);
    const asks = Array.from({ length: turns }, (_each, turn) => ({
      model,
      workMs: 500 + exponential(random, 2500),
      pauseMs: turn % 25 === 0 ? exponential(random, minuteMs) : exponential(random, pauseMs),
    }));
    return { asks };
  });
}

/** Every question needs one model and then at once the other. */
function pipelines(streams: Streams, { count, turns }: { count: number; turns: number }): readonly Client[] {
  return Array.from({ length: count }, (_, at) => {
    const random = streams(at + 1);
    const asks = Array.from({ length: turns }, () => [
      { model: 'a', workMs: 100, pauseMs: exponential(random, 90_000) },
      { model: 'b', workMs: 500 + exponential(random, 4000), pauseMs: 50 },
    ]);
    return { asks: asks.flat() };
  });
}

/** A few questions to one model, some seconds to read between them; then nothing for minutes, then maybe another model. */
function chats(
  streams: Streams,
  { people, models, hours }: { people: number; models: number; hours: number },
  letters = 'abcdefgh',
): readonly Client[] {
  return Array.from({ length: people }, (_, at) => {
    const random = streams(at + 101);
    const asks: (Ask & { pauseMs: number })[] = [];
    for (let spentMs = 0; spentMs < hours * 60 * minuteMs;) {
      const model = pick(random, names(models, letters), 0.8);
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
}

function names(count: number, letters = 'abcdefgh'): string[] {
  return letters.slice(0, count).split('');
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
