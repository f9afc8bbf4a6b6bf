/** Which checks there are and what each of them gets to see. Decides nothing about what is good. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { LoadResult } from '../../config/load.ts';
import { noModels, type ResolvedRouting } from '../../config/models.ts';
import { createModelNames } from '../../config/names.ts';
import { resolveModels } from '../../config/resolve-models.ts';
import type { Config } from '../../config/schema.ts';
import { createGpuSources } from '../../telemetry/host/gpu-sources.ts';
import { readHardware } from '../../telemetry/host/hardware.ts';
import { SystemReader } from '../../telemetry/host/system-reader.ts';
import { checkAddresses } from './check-addresses.ts';
import { checkCertificate } from './check-certificate.ts';
import { checkBackends } from './check-backends.ts';
import { checkConfiguration } from './check-configuration.ts';
import { checkDisk } from './check-disk.ts';
import { checkFileLimits, readFileLimits } from './check-file-limits.ts';
import { checkGpus } from './check-gpus.ts';
import { checkMemory, type MachineMemory } from './check-memory.ts';
import { checkModels } from './check-models.ts';
import { checkMonitors } from './check-monitors.ts';
import { checkNode } from './check-node.ts';
import { checkPeers } from './check-peers.ts';
import type { Check } from './run-checks.ts';

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  /** Without the leading `v`. */
  readonly nodeVersion: string;
  readonly clock: Clock;
}

export interface Configuration {
  /** How messages call it. */
  readonly source: string;
  readonly loaded: LoadResult;
}

/** A configuration that does not load leaves only what can be said without one. */
export function allChecks({ source, loaded }: Configuration, around: Surroundings): Check[] {
  const configuration: Check = {
    name: 'configuration',
    run: () => Promise.resolve(checkConfiguration(source, loaded)),
  };
  if (loaded.ok) return [configuration, ...checksOf(loaded.config, around)];
  const machine: Check = { name: 'machine', run: () => Promise.resolve([checkNode(around.nodeVersion)]) };
  return [configuration, machine, gpuCheck(around, noModels.routing)];
}

function gpuCheck({ platform, env, clock }: Surroundings, routing: ResolvedRouting): Check {
  return {
    name: 'gpus',
    run: (signal) => {
      const sources = createGpuSources({ platform, env, clock, intervalMs: gpuIntervalMs });
      return checkGpus({ sources, routing, signal });
    },
  };
}

function checksOf(config: Config, around: Surroundings): Check[] {
  const { env, cwd, platform, nodeVersion, clock } = around;
  const resolved = resolveModels(config);
  const { models, peers, routing } = resolved;
  const timeoutMs = config.probes.timeout;
  return [
    {
      name: 'machine',
      run: async () => [
        checkNode(nodeVersion),
        ...checkFileLimits(readFileLimits(), config),
        ...checkMemory(await readMemory(platform), config, routing),
        ...(await checkDisk(config, cwd)),
      ],
    },
    {
      name: 'addresses',
      run: async (signal) => {
        const { tls } = config;
        const certificate = tls && (await readFile(resolve(cwd, tls.cert), 'utf8'));
        const findings = await checkAddresses({ config, certificate, models: models.values(), signal });
        if (tls === undefined || certificate === undefined) return findings;
        return [...findings, checkCertificate(tls.cert, certificate, clock.epochMs())];
      },
    },
    gpuCheck(around, routing),
    { name: 'models', run: () => checkModels(models.values(), { env, cwd, platform }) },
    {
      name: 'backends',
      run: (signal) => checkBackends({ config, names: createModelNames(resolved).all(), clock, signal }),
    },
    { name: 'monitors', run: (signal) => checkMonitors({ config, clock, signal }) },
    { name: 'peers', run: (signal) => checkPeers({ peers: peers.values(), timeoutMs, clock, signal }) },
  ];
}

/** Between two lines of a GPU tool: only the first one counts here. */
const gpuIntervalMs = 1000;

async function readMemory(platform: NodeJS.Platform): Promise<MachineMemory> {
  const [{ memoryBytes }, { memory }] = await Promise.all([
    readHardware({ platform, gpus: [] }),
    new SystemReader({ platform, diskFolder: () => undefined }).read(),
  ]);
  return { totalBytes: memoryBytes, freeBytes: Math.min(memoryBytes, memory.totalBytes - memory.usedBytes) };
}
