/**
 * `GET /v1/models`: everything that a client can ask for by name, once each, in OpenAI's shape: what the backends serve,
 * models of our own, peers, selectors, ensembles, pins. Reads views; asks no engine.
 */
import { capabilityKeys, describeCapabilities } from '../config/capabilities.ts';
import type {
  ModelsConfig,
  ResolvedModel,
  ResolvedPeer,
  ResolvedSelector,
  ServedTarget,
} from '../config/models.ts';
import { qualifiedName } from '../config/names.ts';
import type { EnsembleConfig } from '../config/schema-ensembles.ts';
import type { ModelName } from '../domain/ids.ts';
import type { Backend } from '../engines/backend.ts';
import { routersBehind } from '../engines/echo.ts';
import { membersOf } from './ensemble/find-ensemble.ts';
import { isPlain } from './fleet.ts';
import type { NameResolver } from './name-resolver.ts';

/** The engine's own object of a model (its `meta`, `architecture` …), completed and with what only the router knows. */
export interface ModelEntry {
  readonly id: ModelName;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
  readonly aliases: readonly ModelName[];
  readonly status: object;
  readonly llamero: {
    readonly backends: readonly string[];
    readonly loaded: boolean;
    /** Routers on the way to its engine, this one last. */
    readonly via: readonly string[];
  };
  readonly [key: string]: unknown;
}

export interface ListingSource {
  /** What may be asked, in configuration order: the first one's object of a model wins. */
  readonly backends: readonly Backend[];
  readonly models: ModelsConfig;
  readonly names: NameResolver;
  /** By name. */
  readonly ensembles: Readonly<Record<ModelName, EnsembleConfig>>;
  /** `created` of models whose engine gives none. */
  readonly startedEpochS: number;
  /** Of this router; see loop-guard.ts. */
  readonly signature: string;
}

/** Sorted by id; without what is unlisted, unless `all`. */
export function listModels(source: ListingSource, { all = false } = {}): ModelEntry[] {
  const listing = new Listing(source);
  return [...listing.build()]
    .filter(([, { isListed }]) => all || isListed)
    .map(([, { entry }]) => entry)
    .sort((one, other) => (one.id < other.id ? -1 : 1));
}

/** The entry that a name or an alias stands for. */
export function findModel(entries: readonly ModelEntry[], name: ModelName): ModelEntry | undefined {
  return entries.find((entry) => entry.id === name) ?? entries.find((entry) => entry.aliases.includes(name));
}

interface Row {
  readonly entry: ModelEntry;
  readonly isListed: boolean;
}

/** One answer in the making. Later kinds of names replace earlier ones, as they do when a name is looked up. */
class Listing {
  readonly #source: ListingSource;
  readonly #rows = new Map<ModelName, Row>();

  constructor(source: ListingSource) {
    this.#source = source;
  }

  build(): ReadonlyMap<ModelName, Row> {
    const { models, peers, selectors, includeAliasesInList } = this.#source.models;
    this.#addBackends();
    for (const peer of peers.values()) for (const model of peer.models) this.#addPeer(peer, model);
    for (const model of models.values()) this.#addModel(model);
    if (includeAliasesInList) for (const model of models.values()) this.#addAliases(model);
    for (const selector of selectors.values()) this.#addSelector(selector);
    for (const [name, ensemble] of Object.entries(this.#source.ensembles)) this.#addEnsemble(name, ensemble);
    this.#addPins();
    return this.#rows;
  }

  #add(id: ModelName, fields: Readonly<Record<string, unknown>>, options: RowOptions): void {
    const { serving, isListed = true, aliases = [], name = id } = options;
    const loaded = options.loaded ?? serving.some((backend) => isOccupied(backend, name));
    const entry: ModelEntry = {
      created: this.#source.startedEpochS,
      owned_by: 'llamero',
      ...fields,
      id,
      object: 'model',
      aliases,
      status: statusOf(fields['status'], loaded),
      llamero: {
        backends: serving.map((backend) => backend.id),
        loaded: serving.some((backend) => isLoaded(backend, name)),
        via: [...shortestWay(serving, id), this.#source.signature],
      },
    };
    this.#rows.set(id, { entry, isListed });
  }

  /** What plain backends serve, each model once with all its names. */
  #addBackends(): void {
    const found = new Map<ModelName, { names: Set<ModelName>; serving: Set<Backend> }>();
    for (const backend of this.#source.backends) {
      if (!isPlain(backend)) continue;
      for (const [name, canonical] of backend.view.models) {
        const model = found.get(canonical) ?? { names: new Set(), serving: new Set() };
        found.set(canonical, model);
        model.serving.add(backend);
        if (name !== canonical) model.names.add(name);
      }
    }
    for (const [id, { names, serving }] of found) {
      const [first] = serving;
      this.#add(id, first?.modelObjects.get(id) ?? {}, { serving: [...serving], aliases: [...names].sort() });
    }
  }

  #addPeer(peer: ResolvedPeer, model: ModelName): void {
    const id = qualifiedName(peer.id, model);
    const serving = this.#serving(id);
    const own = serving[0]?.modelObjects.get(id) ?? {};
    const said = { type: 'peer', peerID: peer.id, modelID: model };
    const meta = { ...objectOf(own['meta']), llamaswap: said };
    this.#add(id, { ...own, name: `${peer.id}: ${model}`, meta }, { serving });
  }

  #addModel(model: ResolvedModel): void {
    const serving = this.#serving(model.id);
    const said = { type: 'model', ...(model.aliases.length > 0 && { aliases: model.aliases }) };
    const fields = { ...textsOf(model), ...this.#declared(model, said) };
    this.#add(model.id, fields, { serving, isListed: !model.unlisted, aliases: model.aliases });
  }

  #addAliases(model: ResolvedModel): void {
    const { id, aliases, aliasListings } = model;
    for (const alias of aliases) {
      if (this.#source.models.models.has(alias)) continue;
      const listing = aliasListings.get(alias);
      const title = listing === undefined || listing.name === '' ? {} : { name: listing.name };
      const said = { type: 'alias', modelID: id };
      const fields = { ...textsOf(model), ...title, ...this.#declared(model, said) };
      const isListed = !model.unlisted && listing?.unlisted !== true;
      this.#add(alias, fields, { serving: this.#serving(id), isListed, name: id });
    }
  }

  #addSelector(selector: ResolvedSelector): void {
    const { id, strategy, targets, spillover, metadata, unlisted } = selector;
    const said = {
      type: 'selector',
      strategy,
      targets: targets.map(({ requested }) => requested),
      ...(strategy === 'spillover' && { spillover }),
    };
    const candidates = (strategy === 'pin' ? targets.slice(0, 1) : targets).map(nameOf);
    const fields = { ...textsOf(selector), meta: { llamaswap: { ...metadata, ...said } } };
    this.#add(id, fields, {
      serving: [],
      isListed: !unlisted,
      loaded: candidates.some((name) => this.#serving(name).some((backend) => isWarm(backend, name))),
    });
  }

  #addEnsemble(name: ModelName, ensemble: EnsembleConfig): void {
    const members = membersOf(ensemble);
    this.#add(
      name,
      { meta: { llamaswap: { type: 'ensemble', models: members } } },
      {
        serving: [],
        loaded: members.every((model) => this.#serving(model).some((backend) => isWarm(backend, model))),
      },
    );
  }

  /** A pin in place of a model shows in what that model does, not in the list. */
  #addPins(): void {
    const { names } = this.#source;
    for (const [name, target] of names.profile.current?.pins ?? []) {
      if (target === undefined || this.#rows.has(name) || names.find(name) !== undefined) continue;
      const found = names.find(target);
      const real = found === undefined || found.kind === 'selector' ? target : nameOf(found);
      const behind = this.#rows.get(real)?.entry;
      const meta = objectOf(behind?.['meta']);
      const said = { ...objectOf(meta['llamaswap']), type: 'profile', modelID: target };
      const fields = { ...behind, meta: { ...meta, llamaswap: said } };
      this.#add(name, fields, { serving: this.#serving(real), name: real });
    }
  }

  /** What the configuration declares, beside what the running engine says of its model. */
  #declared({ id, capabilities, metadata }: ResolvedModel, said: object): Readonly<Record<string, unknown>> {
    const kept = Object.entries(metadata).filter(
      ([key]) => capabilities === undefined || !(capabilityKeys as readonly string[]).includes(key),
    );
    const own = objectOf(this.#serving(id)[0]?.modelObjects.get(id)?.['meta']);
    const context = capabilities?.context ?? 0;
    return {
      ...describeCapabilities(capabilities),
      meta: {
        ...own,
        ...(context > 0 && { n_ctx: context }),
        llamaswap: { ...Object.fromEntries(kept), ...said },
      },
    };
  }

  #serving(name: ModelName): readonly Backend[] {
    return this.#source.backends.filter(({ view }) => view.models.has(name));
  }
}

interface RowOptions {
  readonly serving: readonly Backend[];
  readonly isListed?: boolean;
  readonly aliases?: readonly ModelName[];
  /** What those that serve it call it; default: the id. */
  readonly name?: ModelName;
  /** Default: whether one of those that serve it has memory in use for it. */
  readonly loaded?: boolean;
}

function shortestWay(serving: readonly Backend[], id: ModelName): readonly string[] {
  const ways = serving.map((backend) => routersBehind(backend.modelObjects.get(id)));
  return ways.sort((one, other) => one.length - other.length)[0] ?? [];
}

function nameOf(target: ServedTarget): ModelName {
  return target.kind === 'model' ? target.model : qualifiedName(target.peer, target.model);
}

function isLoaded({ view }: Backend, name: ModelName): boolean {
  return view.loaded.has(view.models.get(name) ?? name);
}

/** A process that starts or stops has memory in use too. */
function isOccupied(backend: Backend, name: ModelName): boolean {
  const { process, state } = backend.view;
  return process === undefined ? isLoaded(backend, name) : state !== 'stopped';
}

function isWarm(backend: Backend, name: ModelName): boolean {
  return isOccupied(backend, name) && backend.view.state !== 'stopping';
}

/** An engine that tells more of its state keeps its words. */
function statusOf(own: unknown, loaded: boolean): object {
  const object = objectOf(own);
  return typeof object['value'] === 'string' ? object : { value: loaded ? 'loaded' : 'unloaded' };
}

function textsOf({ name, description }: { readonly name: string; readonly description: string }): object {
  return { ...(name !== '' && { name }), ...(description !== '' && { description }) };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : {};
}
