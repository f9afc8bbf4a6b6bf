/** Whether the addresses to serve on and the ports of models can be had, and who has them else. */
import { createServer } from 'node:net';
import { parseListenAddress, type ListenAddress } from '../../config/listen-address.ts';
import type { ResolvedModel } from '../../config/models.ts';
import type { Config } from '../../config/schema.ts';
import type { ProbeClient } from '../../engines/engine-kind.ts';
import { createProbeClient } from '../../engines/probe-client.ts';
import { isPortFree } from '../../process/ports.ts';
import { fault, good, remark, type Finding } from './finding.ts';

export interface AddressOptions {
  readonly config: Pick<Config, 'listen'>;
  /** What clients are served with, in PEM form; undefined = no TLS. */
  readonly certificate: string | undefined;
  readonly models: Iterable<Pick<ResolvedModel, 'id' | 'port'>>;
  readonly signal: AbortSignal;
}

const askMsMax = 2000;

export async function checkAddresses({
  config,
  certificate,
  models,
  signal,
}: AddressOptions): Promise<Finding[]> {
  const listening = await Promise.all(config.listen.map((text) => lookAt(text, certificate, signal)));
  const isRunning = listening.some(({ router }) => router);
  return [...listening.map(({ finding }) => finding), ...(await checkPorts(models, isRunning))];
}

interface Look {
  readonly finding: Finding;
  /** A Llamero serves there. */
  readonly router: boolean;
}

async function lookAt(text: string, certificate: string | undefined, signal: AbortSignal): Promise<Look> {
  const address = parseListenAddress(text);
  const code = await tryListen(address);
  if (code === undefined) return { finding: good(text, 'free'), router: false };
  if (code === 'EADDRINUSE') {
    const scheme = certificate === undefined ? 'http' : 'https';
    const url = new URL(`${scheme}://${hereOf(address)}:${address.port}`);
    const client = createProbeClient({ url, certificate, timeoutMs: askMsMax, signal });
    if (await isRouter(client)) {
      return { finding: remark(text, 'a Llamero is running there'), router: true };
    }
  }
  const { saw, change } = explain(code, address);
  return { finding: fault(text, { level: 'error', saw, change }), router: false };
}

function explain(code: string, { port }: ListenAddress): { readonly saw: string; readonly change: string } {
  switch (code) {
    case 'EADDRINUSE':
      return {
        saw: 'another program has this port',
        change: `end that program (ss -ltnp 'sport = :${port}'), or listen: on another port`,
      };
    case 'EACCES':
      return {
        saw: 'this user may not listen on this port',
        change: 'listen: on a port from 1024 on, or give the program CAP_NET_BIND_SERVICE',
      };
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return { saw: 'this machine has no such address', change: 'listen: on 127.0.0.1 or on :PORT' };
    default:
      return { saw: `cannot listen there (${code})`, change: 'listen: on 127.0.0.1:8700' };
  }
}

/** By `/health`, which needs no key: no engine has these members. */
async function isRouter(client: ProbeClient): Promise<boolean> {
  const answer = await client.get('/health').catch(() => undefined);
  const body = answer?.json;
  return typeof body === 'object' && body !== null && 'endpoints' in body && 'in_flight' in body;
}

/** Of all interfaces, one that is on this machine. */
function hereOf({ host }: ListenAddress): string {
  if (host === '' || host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** The error code, or undefined when listening worked. */
function tryListen({ host, port }: ListenAddress): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    server.listen({ port, exclusive: true, ...(host === '' ? {} : { host }) }, () => {
      server.close(() => resolve(undefined));
    });
  });
}

/** `isRunning`: models of a running router have their ports for a good reason. */
async function checkPorts(
  models: Iterable<Pick<ResolvedModel, 'id' | 'port'>>,
  isRunning: boolean,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const free: number[] = [];
  for (const { id, port } of models) {
    if (port === undefined) continue;
    if (await isPortFree(port)) free.push(port);
    else if (isRunning) findings.push(remark(id, `port ${port} is in use, by its own process if it runs`));
    else {
      findings.push(
        fault(id, {
          level: 'error',
          saw: `another program has port ${port}, so this model cannot start`,
          change: `end that program (ss -ltnp 'sport = :${port}'), or set startPort: to a range that is free`,
        }),
      );
    }
  }
  if (free.length > 0) {
    const range = free.length === 1 ? `${free[0]}` : `${Math.min(...free)} to ${Math.max(...free)}`;
    findings.unshift(good('models', `${free.length} ports are free (${range})`));
  }
  return findings;
}
