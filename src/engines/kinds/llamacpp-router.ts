/**
 * Reads llama-server in router mode, where one server starts a child per model. `/slots`, `/props` and `/metrics` of a
 * model would load it, so only loaded ones are asked, and with `autoload=false`.
 */
import type { EngineReading, ProbeClient, ProbeRound } from '../engine-kind.ts';
import { namesAndAliases } from './llamacpp-names.ts';
import { readSlots } from './llamacpp-slots.ts';
import type { SlotsAnswer } from './llamacpp-slots.ts';
import { silentReading, tryGetObject } from './probing.ts';
import { asObject, asPositive } from './read-json.ts';
import type { JsonObject } from './read-json.ts';

export interface RouterAnswers {
  readonly props: JsonObject;
  /** Its model list by id; undefined = the listing failed. */
  readonly listed: ReadonlyMap<string, JsonObject> | undefined;
  readonly round: ProbeRound;
}

export async function readRouter(client: ProbeClient, answers: RouterAnswers): Promise<EngineReading> {
  const { props, listed, round } = answers;
  // 0 = no limit.
  const modelsMax = asPositive(props['max_instances']);
  if (listed === undefined) return { ...silentReading, isLoadedHidden: true, modelsMax };

  const loaded = Array.from(listed)
    .filter(([, entry]) => isLoaded(entry))
    .map(([id]) => id);
  const answered = await Promise.all(
    loaded.map(async (id) => [id, await readModelSlots(client, id, round)] as const),
  );
  // Between two questions the engine may have put a model to sleep or out.
  const awake = answered.filter(([, slots]) => !slots.sleeping);
  return {
    ...silentReading,
    models: namesAndAliases(listed),
    loaded: new Set(awake.map(([id]) => id)),
    slotsTotal: asPositive(sumOf(answered.map(([, slots]) => slots.total))),
    slotsBusy: sumOf(answered.map(([, slots]) => slots.busy)),
    contextTokens: contextsOf(listed, new Map(answered)),
    modelsMax,
    modelObjects: new Map(Array.from(listed, ([id, entry]) => [id, withoutArguments(entry)])),
  };
}

/** A model that tells no status is served as by a server of its own. Some proxies shorten it to its value. */
function isLoaded({ status }: JsonObject): boolean {
  return status === undefined || (asObject(status)?.['value'] ?? status) === 'loaded';
}

async function readModelSlots(client: ProbeClient, id: string, round: ProbeRound): Promise<SlotsAnswer> {
  const query = `?model=${encodeURIComponent(id)}&autoload=false`;
  return readSlots(client, { props: await tryGetObject(client, `/props${query}`), query, round });
}

/** Undefined when any part is: half a count would be taken for the whole. */
function sumOf(counts: readonly (number | undefined)[]): number | undefined {
  let sum = 0;
  for (const count of counts) {
    if (count === undefined) return undefined;
    sum += count;
  }
  return sum;
}

/** A model's `meta` is there only while it is loaded; `context_length` counts all slots together and does not serve. */
function contextsOf(
  listed: ReadonlyMap<string, JsonObject>,
  slots: ReadonlyMap<string, SlotsAnswer>,
): ReadonlyMap<string, number> {
  const contexts = new Map<string, number>();
  for (const [id, entry] of listed) {
    const tokens = slots.get(id)?.contextTokens ?? asPositive(asObject(entry['meta'])?.['n_ctx']);
    if (tokens !== undefined) contexts.set(id, tokens);
  }
  return contexts;
}

/** The child's command line and preset stay here: they name paths and may hold keys. */
function withoutArguments(entry: JsonObject): JsonObject {
  const status = asObject(entry['status']);
  if (status === undefined) return entry;
  const { args: _args, preset: _preset, ...rest } = status;
  return { ...entry, status: rest };
}
