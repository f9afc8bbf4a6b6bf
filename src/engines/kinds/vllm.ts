/** vLLM's OpenAI server: one base model (and its adapters), continuous batching, a queue of its own, no slots. */
import { ProbeFailure } from '../engine-kind.ts';
import type { EngineAdvice, EngineKind, EngineReading, ProbeClient } from '../engine-kind.ts';
import { batchingServer, contextLengths } from './batching.ts';
import {
  assertKeyAccepted,
  modelsListed,
  namesOf,
  objectOf,
  ownsModelList,
  silentReading,
  tryGet,
  tryGetObject,
} from './probing.ts';
import { asText } from './read-json.ts';

export const vllm: EngineKind = {
  name: 'vllm',
  title: 'vLLM',
  port: 8000,
  ...batchingServer,
  detect: (client) => ownsModelList(client, 'vllm'),
  read,
  advise,
};

async function read(client: ProbeClient): Promise<EngineReading> {
  const [health, list, version, metrics] = await Promise.all([
    client.get('/health'),
    tryGet(client, '/v1/models'),
    tryGetObject(client, '/version'),
    tryGet(client, '/metrics'),
  ]);
  // 503 when its engine process died.
  if (health.status !== 200) {
    throw new ProbeFailure('status', `GET /health answered with status ${health.status}`);
  }
  assertKeyAccepted(list);
  const listed = modelsListed(list && objectOf(list));
  return {
    ...silentReading,
    models: listed && namesOf(listed.keys()),
    loaded: listed && new Set(listed.keys()),
    slotsBusy: metrics?.status === 200 ? busyIn(metrics.text) : undefined,
    contextTokens: listed && contextLengths(listed),
    version: asText(version?.['version']),
    modelObjects: listed,
  };
}

async function advise(client: ProbeClient): Promise<readonly EngineAdvice[]> {
  const metrics = await tryGet(client, '/metrics');
  if (metrics?.status !== 200 || busyIn(metrics.text) !== undefined) return [];
  return [
    {
      level: 'warning',
      saw: 'its metrics do not tell how many requests it runs, so those of others are not seen',
      change: 'start it without --disable-log-stats',
    },
  ];
}

/** One gauge per engine process and model; without statistics (`--disable-log-stats`) there is none. */
function busyIn(metrics: string): number | undefined {
  const gauges = metrics.matchAll(/^vllm:num_requests_(?:running|waiting)(?:\{[^}\n]*\})? ([\d.e+]+)/gm);
  let busy: number | undefined;
  for (const [, value] of gauges) busy = (busy ?? 0) + Number(value);
  return busy !== undefined && Number.isFinite(busy) ? busy : undefined;
}
