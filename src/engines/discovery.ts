/** Finds engines on this machine's well-known ports, for a start without configuration. Changes nothing and keeps nothing. */
import type { BackendId, ModelName } from '../domain/ids.ts';
import { ProbeFailure } from './engine-kind.ts';
import type { EngineKind } from './engine-kind.ts';
import { detectEngineKind, engineKinds } from './kinds/index.ts';
import { createProbeClient } from './probe-client.ts';

export interface DiscoveredEngine {
  /** Kind and port: `llamacpp-8080`. */
  readonly id: BackendId;
  readonly url: string;
  readonly kind: EngineKind;
  /** Canonical names; empty when it does not tell them yet. */
  readonly models: readonly ModelName[];
  /** Why it cannot be used as it is (it wants a key, it is loading); undefined = it can. */
  readonly problem: string | undefined;
}

export interface DiscoveryOptions {
  /** Ports of 127.0.0.1 to look at. Default: those of all engine kinds. */
  readonly ports?: readonly number[];
  /** Ports that are not looked at: the router's own. */
  readonly skipPorts?: readonly number[];
  /** For each port as a whole; all are asked at once. Default 1500. */
  readonly timeoutMs?: number;
}

/** What answers like an engine, in the order of the ports. The kind is told by the answers, not by the port. Never rejects. */
export async function discoverEngines(options: DiscoveryOptions = {}): Promise<readonly DiscoveredEngine[]> {
  const { ports = wellKnownPorts(), skipPorts = [], timeoutMs = 1500 } = options;
  const asked = ports.filter((port) => !skipPorts.includes(port));
  const found = await Promise.all(asked.map((port) => askPort(port, timeoutMs)));
  return found.filter((engine) => engine !== undefined);
}

function wellKnownPorts(): readonly number[] {
  return Object.values(engineKinds).flatMap(({ port }) => port ?? []);
}

async function askPort(port: number, timeoutMs: number): Promise<DiscoveredEngine | undefined> {
  const url = `http://127.0.0.1:${port}`;
  const client = createProbeClient({
    url: new URL(url),
    timeoutMs,
    signal: AbortSignal.timeout(timeoutMs),
  });
  let kind: EngineKind;
  try {
    kind = await detectEngineKind(client);
  } catch (error) {
    if (error instanceof ProbeFailure) return undefined;
    throw error;
  }
  const engine = { id: `${kind.name}-${port}`, url, kind };
  try {
    const reading = await kind.read(client, { mayStir: false });
    return {
      ...engine,
      models: [...new Set(reading.models?.values())],
      problem: reading.readiness === 'loading' ? 'it is loading its model' : undefined,
    };
  } catch (error) {
    if (error instanceof ProbeFailure) return { ...engine, models: [], problem: error.message };
    throw error;
  }
}
