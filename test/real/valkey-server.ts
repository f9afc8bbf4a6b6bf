/** Starts a real Valkey (or Redis) for tests, on a free port, with nothing written to disk, and ends it again. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { testSetup, type Provided } from '../setup.ts';

export interface ValkeyServer {
  readonly url: string;
  readonly port: number;
  /** It answers nobody from now on, and keeps its connections. */
  freeze(): void;
  thaw(): void;
  /** Resolves when it has ended. */
  stop(): Promise<void>;
}

/** The program, or why there is none: `context.skip(path === undefined, missing)`. */
export function realValkey(): Provided {
  return testSetup().valkey;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** `port`: default a free one. Rejects when it ends before it listens. */
export async function startValkey(
  options: { readonly port?: number; readonly password?: string } = {},
): Promise<ValkeyServer> {
  const { path, missing } = realValkey();
  if (path === undefined) throw new Error(`no Valkey: ${missing}`);
  const port = options.port ?? (await freePort());
  const secret = options.password === undefined ? [] : ['--requirepass', options.password];
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    tmpdir(),
    ...secret,
  ];
  // By the name it is called with, the program is a server or a tool.
  const child = spawn(path, args, { argv0: 'redis-server', stdio: ['ignore', 'pipe', 'ignore'] });
  running.add(child);
  const ended = once(child, 'exit').then(() => running.delete(child));
  await listening(child);
  const user = options.password === undefined ? '' : `:${options.password}@`;
  return {
    url: `redis://${user}127.0.0.1:${port}`,
    port,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async stop() {
      child.kill('SIGCONT');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      if (/ready to accept connections/i.test(log)) resolve();
    });
    child.once('exit', () => reject(new Error(`Valkey ended:\n${log}`)));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
