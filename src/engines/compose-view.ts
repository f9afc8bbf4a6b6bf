/**
 * What others see of a backend, put together from its configuration, its health and what its engine has told so far.
 * Pure; knows no engine and no timer.
 */
import type { BackendConfig } from '../config/schema.ts';
import type { BackendView, SlotReading } from '../domain/backend-view.ts';
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { EngineReading } from './engine-kind.ts';
import type { Health } from './health.ts';

/** For backends that neither tell nor are configured. */
export interface BackendDefaults {
  /** ≥ 1. */
  readonly slots: number;
  /** Undefined = no limit. */
  readonly modelsMax: number | undefined;
}

/** The latest word of an engine on each matter. */
export interface Knowledge {
  readonly models: ReadonlyMap<ModelName, ModelName> | undefined;
  readonly loaded: ReadonlySet<ModelName> | undefined;
  /** It could not say lately what it has loaded. */
  readonly isLoadedHidden: boolean;
  readonly slotsTotal: number | undefined;
  /** How many of them a request can name. */
  readonly slotIds: number | undefined;
  readonly slots: SlotReading | undefined;
  readonly contextTokens: ReadonlyMap<ModelName, number> | undefined;
  readonly modelsMax: number | undefined;
  readonly version: string | undefined;
  readonly modelObjects: ReadonlyMap<ModelName, Readonly<Record<string, unknown>>> | undefined;
}

export const noKnowledge: Knowledge = {
  models: undefined,
  loaded: undefined,
  isLoadedHidden: false,
  slotsTotal: undefined,
  slotIds: undefined,
  slots: undefined,
  contextTokens: undefined,
  modelsMax: undefined,
  version: undefined,
  modelObjects: undefined,
};

/** What a reading does not tell stays as it was, except the busy slots: an old count is worse than none. */
export function learn(known: Knowledge, reading: EngineReading, slots: SlotReading | undefined): Knowledge {
  return {
    models: reading.models ?? known.models,
    loaded: reading.loaded ?? known.loaded,
    isLoadedHidden: reading.isLoadedHidden ?? false,
    slotsTotal: reading.slotsTotal ?? known.slotsTotal,
    slotIds: reading.slotIds ?? known.slotIds,
    slots,
    contextTokens: reading.contextTokens ?? known.contextTokens,
    modelsMax: reading.modelsMax ?? known.modelsMax,
    version: reading.version ?? known.version,
    modelObjects: reading.modelObjects ?? known.modelObjects,
  };
}

/** More than anybody has: as much as the configuration takes. */
const slotsMax = 65_536;

export interface ViewParts {
  readonly id: BackendId;
  readonly config: BackendConfig;
  readonly defaults: BackendDefaults;
  readonly health: Health;
  /** An operator took it out of service. */
  readonly draining: boolean;
  readonly known: Knowledge;
  /** Models that failed there of late. */
  readonly failing: ReadonlySet<ModelName>;
  /** What the kind of engine usually runs at once. */
  readonly slotsUsual: number | undefined;
  /** The kind of engine has one prompt cache for all its requests. */
  readonly sharesPrompts: boolean;
  /** Of the GPUs of its machine, in percent; undefined = nobody tells. */
  readonly gpuLoad: number | undefined;
  /** Of those that somebody tells of, roughly; undefined = of none. */
  readonly gpuLoadElsewhere: number | undefined;
}

export function composeView(parts: ViewParts): BackendView {
  const { id, config, defaults, health, draining, known } = parts;
  return {
    id,
    state: draining && health.state !== 'dead' ? 'draining' : health.state,
    models: modelsAllowed(known.models, config.models),
    loaded: known.loaded ?? new Set(),
    distrusted: known.isLoadedHidden ? new Set(known.models?.values()) : parts.failing,
    slotsTotal: slotsOf(parts),
    slotIds: known.slotIds,
    modelSlotsMax: config.slotsPerModel,
    slots: known.slots,
    modelsMax: config.maxModels ?? known.modelsMax ?? defaults.modelsMax,
    weight: config.weight,
    priority: config.priority,
    gpuLoad: parts.gpuLoad,
    gpuLoadElsewhere: parts.gpuLoad === undefined ? parts.gpuLoadElsewhere : undefined,
    contextTokens: known.contextTokens ?? new Map(),
    epoch: health.epoch,
    sharesPrompts: parts.sharesPrompts,
  };
}

function slotsOf({ config, defaults, known, slotsUsual }: ViewParts): number {
  const told = config.slots ?? known.slotsTotal;
  if (told !== undefined) return told;
  return config.slotsPerModel === undefined ? (slotsUsual ?? defaults.slots) : slotsMax;
}

const nothing: ReadonlySet<never> = new Set();

/** True when nobody could tell the two apart. A new slot reading is a difference, even with the same count. */
export function sameView(one: BackendView, other: BackendView): boolean {
  return (
    one.id === other.id &&
    one.state === other.state &&
    one.slotsTotal === other.slotsTotal &&
    one.modelSlotsMax === other.modelSlotsMax &&
    one.slotIds === other.slotIds &&
    one.slots === other.slots &&
    one.modelsMax === other.modelsMax &&
    one.weight === other.weight &&
    one.priority === other.priority &&
    one.gpuLoad === other.gpuLoad &&
    one.gpuLoadElsewhere === other.gpuLoadElsewhere &&
    one.epoch === other.epoch &&
    one.sharesPrompts === other.sharesPrompts &&
    sameMap(one.models, other.models) &&
    sameMap(one.contextTokens, other.contextTokens) &&
    sameSet(one.loaded, other.loaded) &&
    sameSet(one.distrusted ?? nothing, other.distrusted ?? nothing)
  );
}

/** A name is allowed when it or the model it stands for is listed. Without the engine's own list the allow list is it. */
function modelsAllowed(
  listed: ReadonlyMap<ModelName, ModelName> | undefined,
  allowed: readonly ModelName[] | undefined,
): ReadonlyMap<ModelName, ModelName> {
  if (allowed === undefined) return listed ?? new Map();
  if (listed === undefined) return new Map(allowed.map((name) => [name, name]));
  const names = new Set(allowed);
  return new Map([...listed].filter(([name, canonical]) => names.has(name) || names.has(canonical)));
}

function sameMap<Value>(one: ReadonlyMap<string, Value>, other: ReadonlyMap<string, Value>): boolean {
  if (one.size !== other.size) return false;
  for (const [key, value] of one) if (other.get(key) !== value) return false;
  return true;
}

function sameSet<Value>(one: ReadonlySet<Value>, other: ReadonlySet<Value>): boolean {
  if (one.size !== other.size) return false;
  for (const value of one) if (!other.has(value)) return false;
  return true;
}
