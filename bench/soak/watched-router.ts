/** The real router as a process of its own, and everything about it that could grow. Reads, and changes nothing but its garbage. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { statusSchema } from '../../src/admin/contract.ts';
import { endProcess } from '../overhead/pinned-process.ts';
import { Inspector } from './inspector.ts';

export interface Reading {
  /** Since the router runs. */
  readonly atS: number;
  readonly rssBytes: number;
  /** After a collection of garbage; so are the next two. */
  readonly heapBytes: number;
  /** Of the heap and outside of it, as V8 was told: buffers above all. */
  readonly externalBytes: number;
  readonly fds: number;
  readonly sockets: number;
  readonly timers: number;
  readonly children: number;
  readonly inFlight: number;
  readonly queued: number;
  /** Own and lingering slots of all backends: what the router believes that its requests have. */
  readonly slotsTaken: number;
  /** What does not add up in the slots of a backend. */
  readonly wrongSlots: readonly string[];
  readonly sessions: number;
  readonly prefixBytes: number;
  readonly cacheEntries: number;
  readonly storeBytes: number;
  readonly walBytes: number;
  readonly requests: number;
  readonly internalErrors: number;
  readonly metricSeries: number;
  /** How late timers ran at worst since the reading before, which ends with a collection of garbage. */
  readonly lagMs: number;
}

type Status = z.infer<typeof statusSchema>;

export interface WatchedRouterOptions {
  /** For its configuration and its files. */
  readonly folder: string;
  readonly config: object;
  readonly adminKey?: string;
}

const readyMsMax = 15_000;
/** What it says at its start is in there. */
const saidCharactersMax = 100_000;
const main = resolve(import.meta.dirname, '..', '..', 'src', 'main.ts');

export class WatchedRouter {
  readonly url: string;
  readonly pid: number;
  readonly inspector: Inspector;
  readonly #child: ChildProcess;
  readonly #options: WatchedRouterOptions;
  readonly #errors: string[];
  readonly #startedMs = performance.now();

  private constructor(
    options: WatchedRouterOptions,
    {
      child,
      url,
      inspector,
      errors,
    }: { child: ChildProcess; url: string; inspector: Inspector; errors: string[] },
  ) {
    if (child.pid === undefined) throw new Error('the router did not start');
    this.pid = child.pid;
    this.url = url;
    this.inspector = inspector;
    this.#child = child;
    this.#options = options;
    this.#errors = errors;
  }

  static async start(options: WatchedRouterOptions): Promise<WatchedRouter> {
    const file = writeConfig(options.folder, options.config);
    const args = ['--inspect=127.0.0.1:0', main, 'serve', '--config', file];
    const child = spawn(process.execPath, args, { cwd: options.folder, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    const errors: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (said.length < saidCharactersMax) said += `${line}\n`;
      if (line.includes('"level":"error"')) errors.push(line);
    });
    const find = async (pattern: RegExp): Promise<string> => {
      const deadlineMs = performance.now() + readyMsMax;
      while (performance.now() < deadlineMs && child.exitCode === null) {
        const found = pattern.exec(said)?.[1];
        if (found !== undefined) return found;
        await sleep(20);
      }
      child.kill('SIGKILL');
      throw new Error(`the router did not start:\n${said.slice(-2000)}`);
    };
    const inspector = await Inspector.open(await find(/Debugger listening on (ws:\S+)/));
    const url = await find(/listening on (http:\/\/[\d.:]+)/);
    return new WatchedRouter(options, { child, url, inspector, errors });
  }

  /** Lines of its log that tell of an error. */
  get errors(): readonly string[] {
    return this.#errors;
  }

  /** Takes over another configuration. */
  reload(config: object): void {
    writeConfig(this.#options.folder, config);
    process.kill(this.pid, 'SIGHUP');
  }

  async get(path: string, init: RequestInit = {}): Promise<Response> {
    const { adminKey } = this.#options;
    const headers = adminKey === undefined ? {} : { authorization: `Bearer ${adminKey}` };
    return fetch(this.url + path, { ...init, headers });
  }

  async status(): Promise<Status> {
    return statusSchema.parse(await (await this.get('/api/status')).json());
  }

  /** Pids of its models. The watcher that ends those when the router is killed is not among them. */
  children(): number[] {
    const text = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8');
    const pids = text.split(' ').filter(Boolean).map(Number);
    return pids.filter((pid) => commandOf(pid).includes('fake-engine'));
  }

  async read(): Promise<Reading> {
    const status = await this.status();
    const metrics = await (await this.get('/metrics')).text();
    await this.inspector.collectGarbage();
    const memory = (await this.inspector.evaluate('process.memoryUsage()')) as NodeJS.MemoryUsage;
    const resources = (await this.inspector.evaluate('process.getActiveResourcesInfo()')) as string[];
    const { folder } = this.#options;
    const slots = status.backends.map((backend) => backend.slots);
    return {
      atS: Math.round((performance.now() - this.#startedMs) / 1000),
      rssBytes: memory.rss,
      heapBytes: memory.heapUsed,
      externalBytes: memory.external,
      ...countFds(this.pid),
      timers: resources.filter((name) => name === 'Timeout').length,
      children: this.children().length,
      inFlight: status.requests.in_flight,
      queued: status.queue.depth,
      slotsTaken: slots.reduce((sum, { own, lingering }) => sum + own + lingering, 0),
      wrongSlots: status.backends.flatMap(findWrongSlots),
      sessions: status.sessions,
      prefixBytes: valueOf(metrics, 'llamero_prefix_index_bytes'),
      cacheEntries: valueOf(metrics, 'llamero_cache_entries'),
      storeBytes: sizeOf(join(folder, 'requests.sqlite')),
      walBytes: sizeOf(join(folder, 'requests.sqlite-wal')),
      requests: status.requests.total,
      internalErrors: status.requests.by_outcome.internal ?? 0,
      lagMs: 1000 * valueOf(metrics, 'llamero_event_loop_lag_seconds{statistic="max"}'),
      metricSeries: metrics.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length,
    };
  }

  /** As an operator would; killed if that takes too long. */
  async close(): Promise<void> {
    this.inspector.close();
    await endProcess(this.#child);
  }
}

/** Requests on a backend are those of its models; lingering ones are still there, too, or were of no model. */
function findWrongSlots({ id, slots, in_flight_by_model: running }: Status['backends'][number]): string[] {
  const { own, lingering } = slots;
  const ofModels = Object.values(running).reduce((sum, count) => sum + count, 0);
  if (own <= ofModels && ofModels <= own + lingering) return [];
  return [`${id} has ${own} requests and ${lingering} lingering ones, its models have ${ofModels}`];
}

function writeConfig(folder: string, config: object): string {
  const file = join(folder, 'llamero.yaml');
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** Empty when it is gone. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function countFds(pid: number): { readonly fds: number; readonly sockets: number } {
  const names = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      // Closed since the folder was read.
      return '';
    }
  });
  return { fds: names.length, sockets: names.filter((name) => name.startsWith('socket:')).length };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** 0 when there is no such series. */
function valueOf(metrics: string, series: string): number {
  const line = metrics.split('\n').find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length) ?? 0);
}
