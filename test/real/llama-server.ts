/** Starts real llama-servers for tests and ends them again, whatever happens. One thread each: two would fight over two cores. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testSetup } from '../setup.ts';
import type { Provided } from '../setup.ts';

export interface LlamaServerOptions {
  /** Model file; undefined = router mode, or whatever `args` say. */
  readonly model?: string;
  /** `--parallel`; default 4. */
  readonly slots?: number;
  /** Of one slot; default 4096. */
  readonly contextTokens?: number;
  readonly args?: readonly string[];
  /** Default: a free one. */
  readonly port?: number;
  /** `listening`: do not wait for the model to be loaded. Default `ready`. */
  readonly until?: 'listening' | 'ready';
}

export interface LlamaServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** SIGTERM, and SIGKILL when that takes over two seconds. Resolves when it has ended. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when it has ended. */
  kill9(): Promise<void>;
  /** The end of what it wrote. */
  log(): string;
}

/** The program, or why there is none: `context.skip(path === undefined, missing)`. */
export function realLlamaServer(): Provided {
  return testSetup().llamaServer;
}

const startMsMax = 60_000;
const logCharsMax = 100_000;
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Rejects when it ends or is not ready within a minute, with its log. */
export async function startLlamaServer(options: LlamaServerOptions = {}): Promise<LlamaServer> {
  const { path, missing } = realLlamaServer();
  if (path === undefined) throw new Error(`no llama-server: ${missing}`);
  const port = options.port ?? (await freePort());
  const child = spawn(path, argumentsOf(options, port), {
    stdio: ['ignore', 'ignore', 'pipe'],
    // An empty model cache: nothing else on this machine shows up in its lists.
    env: { ...process.env, LLAMA_CACHE: join(tmpdir(), 'llamero-no-models') },
  });
  running.add(child);
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-logCharsMax)));
  let isOver = false;
  const over = new Promise<void>((resolve) => {
    const end = () => {
      isOver = true;
      running.delete(child);
      resolve();
    };
    child.once('exit', end);
    child.once('error', end);
  });
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 2000);
    await over;
    clearTimeout(timer);
  };
  const url = `http://127.0.0.1:${port}`;
  const wanted = options.until === 'listening' ? [200, 503] : [200];
  for (const deadline = Date.now() + startMsMax; !wanted.includes(await healthOf(url)); await pause()) {
    if (isOver || Date.now() > deadline) {
      await end('SIGKILL');
      throw new Error(`llama-server is not ready:\n${log}`);
    }
  }
  return {
    url,
    port,
    pid: child.pid ?? 0,
    stop: () => end('SIGTERM'),
    kill9: () => end('SIGKILL'),
    log: () => log,
  };
}

/** A TCP port of 127.0.0.1 that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

function argumentsOf(options: LlamaServerOptions, port: number): string[] {
  const { model, slots = 4, contextTokens = 4096, args = [] } = options;
  // With a seed of their own random models are not done sooner now and then.
  const common = ['--host', '127.0.0.1', '--port', String(port), '--offline', '-t', '1', '--seed', '1'];
  if (model === undefined) return [...common, ...args];
  const sizes = ['--parallel', String(slots), '-c', String(slots * contextTokens)];
  return ['-m', model, ...common, ...sizes, ...args];
}

/** Status of `/health`; 0 = no answer. */
async function healthOf(url: string): Promise<number> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(5000) });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 20);
  });
}
