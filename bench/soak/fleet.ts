/** What stands behind the router in the soak, and what goes wrong with it: engines that die and come back, models, reloads. */
import { join, resolve } from 'node:path';
import { createRandom, type Random } from '../../src/base/random.ts';
import { createSimEngine, type SimEngine } from '../../src/sim/engine/engine.ts';
import { startFakeOllama, type FakeOllama } from '../../test/fake-engine/fake-ollama.ts';
import { freePorts } from '../../test/integration/free-ports.ts';

/** Names that clients ask for. */
export const names = {
  chat: 'tiny',
  /** Loaded by the router, one at a time. */
  swapped: ['swap-a', 'swap-b', 'swap-c'],
  ensemble: 'panel',
  ollama: 'mini',
} as const;

/** One may do everything; the others have a limit that some of their requests meet. */
export const keys = {
  admin: 'soak-admin',
  users: ['soak-user-1', 'soak-user-2', 'soak-user-3'],
} as const;

const engineProgram = resolve(import.meta.dirname, '..', '..', 'test', 'fake-engine', 'main.ts');
const engineCount = 3;

interface Place {
  engine: SimEngine;
  readonly port: number;
  isUp: boolean;
}

export class Fleet {
  readonly #places: readonly Place[];
  readonly #ollama: FakeOllama;
  readonly #startPort: number;
  readonly #random: Random;
  #variant = 0;

  private constructor(places: readonly Place[], ollama: FakeOllama, startPort: number, seed: number) {
    this.#places = places;
    this.#ollama = ollama;
    this.#startPort = startPort;
    this.#random = createRandom(seed);
  }

  static async start(seed: number): Promise<Fleet> {
    const startPort = await freePorts(names.swapped.length + engineCount + 2);
    const places = Array.from({ length: engineCount }, (_, at) => ({
      engine: createEngine(at),
      port: startPort + names.swapped.length + 1 + at,
      isUp: true,
    }));
    await Promise.all(places.map(({ engine, port }) => engine.listen(port)));
    return new Fleet(places, await startFakeOllama({ models: [names.ollama] }), startPort, seed);
  }

  /** Of the router. The bounds of its tables are low, so that they are full long before the end. */
  config(folder: string): object {
    const one = this.#places.map(({ port }, at) => {
      // Each reload changes something of them, and every second one takes the last away or brings it back.
      const weight = 1 + ((this.#variant + at) % 3);
      return [`engine-${at}`, { url: `http://127.0.0.1:${port}`, weight }] as const;
    });
    const engines = this.#variant % 2 === 0 ? one : one.slice(0, -1);
    const cmd = (id: string) =>
      `${process.execPath} ${engineProgram} --port \${PORT} --model ${id} --load-ms 300 --tokens-per-s 400`;
    return {
      listen: '127.0.0.1:0',
      apiKeys: [
        { name: 'operator', key: keys.admin },
        ...keys.users.map((key, at) => ({
          name: `user-${at + 1}`,
          key,
          concurrency: 6 + at,
          requestsPerMinute: 900,
        })),
      ],
      backends: {
        ...Object.fromEntries(engines),
        ollama: { url: this.#ollama.url, engine: 'ollama', slots: 4 },
      },
      startPort: this.#startPort,
      healthCheckTimeout: 20,
      models: Object.fromEntries(names.swapped.map((id) => [id, { cmd: cmd(id), ttl: 15 }])),
      ensembles: { [names.ensemble]: { models: names.chat, answers: 2, critiques: 1 } },
      cache: { enabled: true, store: 'sqlite', ttl: '2m', sizeMax: '1MiB', wait: '1s' },
      store: { path: join(folder, 'requests.sqlite'), rowsMax: 2000 },
      responses: { rowsMax: 50 },
      affinity: { session: { ttl: '1m', max: 500 }, prefix: { memory: '256KiB' } },
      scheduling: { queueTimeout: '10s', deadWait: '5s', stickyDelay: '200ms', maxWait: '2s' },
      probes: { interval: '500ms', deadInterval: '500ms', timeout: 2 },
      limits: { bodyTimeout: '5s' },
      captureBuffer: 1,
      metricsMaxInMemory: 500,
      drain: { timeout: '5s' },
      log: { level: 'info', format: 'json', requests: false },
    };
  }

  /** The next configuration: a backend more or less, other weights. */
  change(): void {
    this.#variant += 1;
  }

  /** Breaks all connections of one engine. Nobody listens there until `repair`. */
  async breakOne(): Promise<void> {
    const place = this.#places[Math.floor(this.#random.next() * this.#places.length)];
    if (place === undefined || !place.isUp) return;
    place.isUp = false;
    await place.engine.close();
  }

  /** Brings back those that broke, on their ports. */
  async repair(): Promise<void> {
    for (const [at, place] of this.#places.entries()) {
      if (place.isUp) continue;
      place.engine = createEngine(at);
      await place.engine.listen(place.port);
      place.isUp = true;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#places.map(({ engine }) => engine.close()), this.#ollama.close()]);
  }
}

function createEngine(at: number): SimEngine {
  return createSimEngine({
    name: `engine-${at}`,
    models: [{ id: names.chat, contextTokens: 8192, promptTokensPerS: 20_000, tokensPerS: 60 }],
    slots: 4,
    seed: at,
    sharing: 0,
  });
}
