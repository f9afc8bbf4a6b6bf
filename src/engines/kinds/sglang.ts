/** SGLang: one model per server, continuous batching; tells how many requests it runs at once. */
import { ProbeFailure } from '../engine-kind.ts';
import type { EngineKind, EngineReading, ProbeClient } from '../engine-kind.ts';
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
import { asCount, asObjects, asPositive, asText } from './read-json.ts';
import type { JsonObject } from './read-json.ts';

export const sglang: EngineKind = {
  name: 'sglang',
  title: 'SGLang',
  port: 30000,
  ...batchingServer,
  detect: (client) => ownsModelList(client, 'sglang'),
  read,
};

/** `/health` is left alone: it generates a token when the server is idle and takes a second (http_server.py). */
async function read(client: ProbeClient): Promise<EngineReading> {
  const [list, info, loads] = await Promise.all([
    client.get('/v1/models'),
    readServerInfo(client),
    tryGet(client, '/get_load'),
  ]);
  assertKeyAccepted(list);
  const listed = modelsListed(objectOf(list));
  if (listed === undefined) {
    throw new ProbeFailure('status', `GET /v1/models gave no model list (status ${list.status})`);
  }
  return {
    ...silentReading,
    models: namesOf(listed.keys()),
    loaded: new Set(listed.keys()),
    slotsTotal: slotsIn(info),
    slotsBusy: loads?.status === 200 ? busyIn(loads.json) : undefined,
    contextTokens: contextLengths(listed),
    version: asText(info?.['version']),
    modelObjects: listed,
  };
}

/** Renamed in 2026; either holds the server's arguments with its keys, so nothing but single numbers is kept. */
async function readServerInfo(client: ProbeClient): Promise<JsonObject | undefined> {
  return (await tryGetObject(client, '/server_info')) ?? tryGetObject(client, '/get_server_info');
}

/** One internal state per data-parallel rank, each with the requests that this rank runs at once. */
function slotsIn(info: JsonObject | undefined): number | undefined {
  let slots = 0;
  for (const state of asObjects(info?.['internal_states']) ?? []) {
    slots += asPositive(state['effective_max_running_requests_per_dp']) ?? 0;
  }
  return asPositive(slots) ?? asPositive(info?.['max_running_requests']);
}

/** `num_reqs` counts running and waiting requests of one rank. */
function busyIn(loads: unknown): number | undefined {
  const counts = asObjects(loads)?.map((load) => asCount(load['num_reqs']));
  if (counts === undefined || counts.length === 0) return undefined;
  let busy = 0;
  for (const count of counts) {
    if (count === undefined) return undefined;
    busy += count;
  }
  return busy;
}
