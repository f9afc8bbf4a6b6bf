/** What is compared: how each proxy is configured, started and found ready. Every one gets one worker or thread. */
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chatBody, plainAnswer } from './protocol.ts';
import { endProcess, startPinned } from './pinned-process.ts';

export const stackNames = [
  'direct',
  'haproxy',
  'haproxy-inspect',
  'nginx',
  'llamero',
  'llamero-log',
] as const;
export type StackName = (typeof stackNames)[number];

export const stackTitles: Readonly<Record<StackName, string>> = {
  direct: 'direct',
  haproxy: 'HAProxy',
  'haproxy-inspect': 'HAProxy, JSON body inspected',
  nginx: 'nginx',
  llamero: 'Llamero',
  'llamero-log': 'Llamero, access log on',
};

/** A running proxy, or for `direct` the stub itself (no pid). */
export interface RunningStack {
  readonly name: StackName;
  readonly port: number;
  readonly pid: number | undefined;
  close(): Promise<void>;
}

interface Place {
  readonly folder: string;
  readonly stubPort: number;
}

interface Started {
  readonly child: ChildProcess;
  /** Says where it listens once it does; undefined = not yet. */
  port(): number | undefined;
}

const readyMs = 15_000;

/** Starts one and waits until it answers a request; throws with the end of its output when it does not. */
export async function startStack(name: StackName, place: Place): Promise<RunningStack> {
  if (name === 'direct')
    return { name, port: place.stubPort, pid: undefined, close: () => Promise.resolve() };
  const folder = join(place.folder, name);
  mkdirSync(folder, { recursive: true });
  const output = join(folder, 'output.log');
  const started = await starters[name]({ ...place, folder, output });
  const deadlineMs = performance.now() + readyMs;
  while (started.child.exitCode === null && performance.now() < deadlineMs) {
    const port = started.port();
    if (port !== undefined && (await answers(port))) {
      return { name, port, pid: started.child.pid, close: () => endProcess(started.child) };
    }
    await sleep(50);
  }
  await endProcess(started.child);
  throw new Error(
    `${stackTitles[name]} does not answer: ${readFileSync(output, 'utf8').trim().slice(-2000)}`,
  );
}

type Starter = (place: Place & { readonly output: string }) => Promise<Started>;

const starters: Readonly<Record<Exclude<StackName, 'direct'>, Starter>> = {
  haproxy: (place) => startHaproxy(place, { inspect: false }),
  'haproxy-inspect': (place) => startHaproxy(place, { inspect: true }),
  nginx: startNginx,
  llamero: (place) => startLlamero(place, { accessLog: false }),
  'llamero-log': (place) => startLlamero(place, { accessLog: true }),
};

async function startHaproxy(place: Parameters<Starter>[0], options: { inspect: boolean }): Promise<Started> {
  const port = await freePort();
  const inspection = [
    '  option http-buffer-request',
    "  http-request set-var(txn.model) req.body,json_query('$.model')",
    '  http-request deny deny_status 400 unless { var(txn.model) -m str bench }',
  ];
  const file = join(place.folder, 'haproxy.cfg');
  const lines = [
    'global',
    '  nbthread 1',
    '  maxconn 8000',
    // A body must fit into one buffer to be looked into.
    ...(options.inspect ? ['  tune.bufsize 600000'] : []),
    'defaults',
    '  mode http',
    '  timeout connect 5s',
    '  timeout client 300s',
    '  timeout server 300s',
    '  option http-keep-alive',
    'frontend in',
    `  bind 127.0.0.1:${port}`,
    ...(options.inspect ? inspection : []),
    '  default_backend engine',
    'backend engine',
    '  http-reuse always',
    `  server stub 127.0.0.1:${place.stubPort} pool-max-conn -1`,
    '',
  ];
  writeFileSync(file, lines.join('\n'));
  return { child: startLogged(['haproxy', '-db', '-f', file], place.output), port: () => port };
}

async function startNginx(place: Parameters<Starter>[0]): Promise<Started> {
  const port = await freePort();
  const file = join(place.folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `  ${kind}_temp_path ${place.folder}/${kind};`,
  );
  const lines = [
    'daemon off;',
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    'worker_processes 1;',
    'worker_rlimit_nofile 20000;',
    `pid ${place.folder}/nginx.pid;`,
    'error_log stderr warn;',
    'events { worker_connections 8000; }',
    'http {',
    '  access_log off;',
    '  client_max_body_size 0;',
    '  keepalive_requests 100000000;',
    ...temporary,
    `  upstream engine { server 127.0.0.1:${place.stubPort}; keepalive 2000; keepalive_requests 100000000; }`,
    '  server {',
    `    listen 127.0.0.1:${port} backlog=4096;`,
    '    location / {',
    '      proxy_pass http://engine;',
    '      proxy_http_version 1.1;',
    '      proxy_set_header Connection "";',
    '      proxy_buffering off;',
    '      proxy_request_buffering off;',
    '      proxy_read_timeout 300s;',
    '    }',
    '  }',
    '}',
    '',
  ];
  writeFileSync(file, lines.join('\n'));
  const command = ['nginx', '-p', place.folder, '-e', 'stderr', '-c', file];
  return { child: startLogged(command, place.output), port: () => port };
}

function startLlamero(place: Parameters<Starter>[0], options: { accessLog: boolean }): Promise<Started> {
  const file = join(place.folder, 'llamero.yaml');
  const config = {
    listen: '127.0.0.1:0',
    backends: { stub: { url: `http://127.0.0.1:${place.stubPort}`, engine: 'llamacpp' } },
    log: { requests: options.accessLog, format: 'json' },
  };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config, undefined, 2));
  const main = resolve(import.meta.dirname, '../../src/main.ts');
  const child = startLogged([process.execPath, main, 'serve', '--config', file], place.output);
  const port = (): number | undefined => {
    const match = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(readFileSync(place.output, 'utf8'));
    return match === null ? undefined : Number(match[1]);
  };
  return Promise.resolve({ child, port });
}

/** Output goes to a file: reading a pipe would take time from the measurement. */
function startLogged(command: readonly string[], output: string): ChildProcess {
  const log = openSync(output, 'w');
  const child = startPinned('proxy', command, ['ignore', log, log]);
  closeSync(log);
  return child;
}

/** haproxy and nginx cannot say which port they got, so a free one is looked up for them. */
function freePort(): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolvePort(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function answers(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: chatBody(1024),
      signal: AbortSignal.timeout(2000),
    });
    return response.status === 200 && (await response.bytes()).length === plainAnswer.length;
  } catch {
    return false;
  }
}
