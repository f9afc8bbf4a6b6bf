/** The engines behind `llamero demo`: two machines with the same model, one that swaps models, one for vectors. All invented. */
import { createSimEngine, type SimEngine } from './engine/engine.ts';
import type { SimEngineOptions } from './engine/options.ts';
import type { Timers } from './timers.ts';

export interface DemoBackend {
  /** Usable as a backend id. */
  readonly id: string;
  readonly url: string;
}

export interface DemoFleet {
  readonly engines: readonly SimEngine[];
  /** Models that chat and models that make vectors, for the traffic. */
  readonly models: { readonly chat: readonly string[]; readonly vectors: string };
  /** Listens on free ports of 127.0.0.1. */
  start(): Promise<readonly DemoBackend[]>;
  /** One line per engine: what it pretends to be. */
  describe(): readonly string[];
  close(): Promise<void>;
}

export interface DemoFleetOptions {
  readonly seed: number;
  /** Default: the machine's own. */
  readonly timers?: Timers;
}

export function createDemoFleet({ seed, timers }: DemoFleetOptions): DemoFleet {
  const all = machines.map((machine, at) => ({ ...machine, seed: seed + at, ...(timers && { timers }) }));
  const engines = all.map((options) => createSimEngine(options));
  return {
    engines,
    models: {
      chat: [...new Set(machines.filter(({ embeddings }) => !embeddings).flatMap(names))],
      vectors: 'sim-bge-m3',
    },
    start: () =>
      Promise.all(engines.map(async (engine) => ({ id: engine.name, url: (await engine.listen()).url }))),
    describe: () => all.map(describeMachine),
    async close() {
      await Promise.all(engines.map((engine) => engine.close()));
    },
  };
}

type Machine = Omit<SimEngineOptions, 'seed'>;

const small = { id: 'sim-qwen3-8b', aliases: ['sim-qwen3'], contextTokens: 16_384 };

const machines: readonly Machine[] = [
  {
    name: 'workstation',
    models: [{ ...small, promptTokensPerS: 1800, tokensPerS: 48 }],
    slots: 4,
  },
  {
    name: 'laptop',
    models: [{ ...small, promptTokensPerS: 600, tokensPerS: 22 }],
    slots: 4,
  },
  {
    name: 'swapper',
    models: [
      { id: 'sim-gemma3-12b', contextTokens: 8192, promptTokensPerS: 900, tokensPerS: 30, loadMs: 2800 },
      {
        id: 'sim-qwen3-4b-thinking',
        contextTokens: 8192,
        promptTokensPerS: 2400,
        tokensPerS: 70,
        loadMs: 2000,
        thinks: true,
      },
      {
        id: 'sim-mistral-small-24b',
        contextTokens: 8192,
        promptTokensPerS: 500,
        tokensPerS: 18,
        loadMs: 4000,
      },
    ],
    router: { modelsMax: 2 },
    slots: 2,
  },
  {
    name: 'vectors',
    models: [{ id: 'sim-bge-m3', contextTokens: 8192, promptTokensPerS: 4000, tokensPerS: 1000 }],
    slots: 4,
    embeddings: true,
    rerank: true,
  },
];

function names({ models }: Machine): string[] {
  return models.map(({ id }) => id);
}

function describeMachine(machine: Machine): string {
  const { name, models, slots, router } = machine;
  const swaps = router === undefined ? '' : `, at most ${router.modelsMax} models loaded`;
  const speeds = models.map(({ id, tokensPerS }) => `${id} at ${tokensPerS} tokens/s`);
  const what =
    machine.embeddings === true ? `${names(machine).join(', ')} (embeddings, reranking)` : speeds.join(', ');
  return `${name} (simulated): ${what}, ${slots} slots${swaps}`;
}
