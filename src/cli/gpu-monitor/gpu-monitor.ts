/** `llamero gpu-monitor`: looks at this machine and tells routers on other ones. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { resolve as resolvePath } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { KeyRing } from '../../keys/key-ring.ts';
import { createAuthenticator } from '../../gateway/auth.ts';
import type { HostLog } from '../../telemetry/host/gpu-watch.ts';
import { createHostSampler, type LocalHostSampler } from '../../telemetry/host/host-sampler.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import type { LongRunningIo } from '../io.ts';
import { version } from '../version.ts';
import { parseMonitorFlags, type MonitorFlags } from './monitor-flags.ts';
import { createMonitorServer } from './monitor-server.ts';

const usage = `Usage: llamero gpu-monitor [--listen ADDR] [--interval TIME] [--key-env NAME] [--disk DIR]

  --listen ADDR     HOST:PORT to serve on; default 127.0.0.1:8701
  --interval TIME   between two looks at this machine, 200ms to 5s; default 1s
  --key-env NAME    environment variable with the key that callers must send
  --allow-unauthenticated
                    let other machines ask without a key
  --disk DIR        folder whose file system is told of; default: this one
`;

export async function runGpuMonitor(args: readonly string[], io: LongRunningIo): Promise<ExitCode> {
  const flags = tryParseFlags(args, io);
  if (flags === undefined) return exitCodes.usage;
  if (flags.help) {
    io.stdout(usage);
    return exitCodes.ok;
  }
  const key = flags.keyEnv === undefined ? undefined : io.env[flags.keyEnv];
  if (flags.keyEnv !== undefined && (key === undefined || key === '')) {
    io.stderr(`llamero gpu-monitor: The environment variable ${flags.keyEnv} (--key-env) is not set\n`);
    return exitCodes.usage;
  }
  const sampler = createHostSampler({
    clock: systemClock,
    log: logTo(io),
    env: io.env,
    platform: process.platform,
    intervalMs: flags.intervalMs,
    diskFolder: () => resolvePath(io.cwd, flags.diskFolder),
  });
  try {
    return await serveUntilStopped({ flags, key, sampler }, io);
  } finally {
    await sampler.close();
  }
}

interface Monitor {
  readonly flags: MonitorFlags;
  readonly key: string | undefined;
  readonly sampler: LocalHostSampler;
}

async function serveUntilStopped({ flags, key, sampler }: Monitor, io: LongRunningIo): Promise<ExitCode> {
  const ring = new KeyRing();
  ring.configure(key === undefined ? [] : [key], { hasFile: false });
  const authenticator = createAuthenticator(ring, () => systemClock.epochMs());
  const server = createMonitorServer({
    latest: () => sampler.latest(),
    troubled: () => sampler.troubledGpuSources(),
    epochMs: () => systemClock.epochMs(),
    isAllowed: (headers) => !authenticator.required || authenticator.identify(headers) !== undefined,
    version,
  });
  const { host, port } = flags.listen;
  try {
    server.listen(port, host === '' ? undefined : host);
    await once(server, 'listening');
  } catch (error) {
    io.stderr(`llamero gpu-monitor: ${error instanceof Error ? error.message : String(error)}\n`);
    return exitCodes.unavailable;
  }
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  io.stderr(`listening on http://${name}:${address.port}\n`);
  await stopSignal(io);
  server.close();
  server.closeAllConnections();
  return exitCodes.ok;
}

function stopSignal(io: LongRunningIo): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      for (const off of listening) off();
      resolve();
    };
    const listening = [io.onSignal('SIGTERM', stop), io.onSignal('SIGINT', stop)];
  });
}

/** Lines for whoever reads the service's journal. */
function logTo(io: LongRunningIo): HostLog {
  const write = (details: Readonly<Record<string, unknown>>, message: string): void => {
    io.stderr(`${message}: ${JSON.stringify(details)}\n`);
  };
  return { info: write, warn: write };
}

/** Says what is wrong with the arguments. */
function tryParseFlags(args: readonly string[], io: LongRunningIo): MonitorFlags | undefined {
  try {
    return parseMonitorFlags(args);
  } catch (error) {
    io.stderr(`llamero gpu-monitor: ${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return undefined;
  }
}
