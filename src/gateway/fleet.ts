/** What the fleet as a whole offers: model names, who has which route. Derived from the registry, rebuilt when it changed. */
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { RouteName } from '../domain/routes.ts';
import type { Backend, BackendDirectory } from '../engines/backend.ts';
import { takesImages } from '../dialects/ollama-surface/describe-model.ts';
import { OllamaNames } from '../dialects/ollama-surface/names.ts';
import { ContextSizes } from './repair/context-sizes.ts';
import { routesFor } from './translation/dialect-routes.ts';
import { RouteSupport } from './translation/route-support.ts';

interface Index {
  readonly names: ReadonlyMap<ModelName, readonly Backend[]>;
  readonly canonical: ReadonlySet<ModelName>;
  readonly routes: Map<string, ReadonlySet<BackendId> | undefined>;
  readonly seeing: Map<RouteName, Map<ModelName, ReadonlySet<BackendId> | undefined>>;
  ollamaNames: OllamaNames | undefined;
}

export class Fleet {
  readonly #registry: Pick<BackendDirectory, 'get' | 'list'>;
  /** Which routes engines turned out to lack. */
  readonly support = new RouteSupport();
  /** What engines said of their contexts. */
  readonly contexts = new ContextSizes();
  #index: Index | undefined;

  constructor(registry: Pick<BackendDirectory, 'get' | 'list'>) {
    this.#registry = registry;
  }

  /** Call after any change of the registry. */
  changed(): void {
    this.#index = undefined;
  }

  /** Every name a client can use, with the backends that know it, dead ones included. */
  names(): ReadonlyMap<ModelName, readonly Backend[]> {
    return this.#read().names;
  }

  /** What Ollama's spellings of a name mean here (with and without `:latest`, and so on); undefined = nothing. */
  ollamaName(name: string): ModelName | undefined {
    const index = this.#read();
    index.ollamaNames ??= new OllamaNames(index.names.keys());
    return index.ollamaNames.find(name);
  }

  /** The one model of a fleet that has just one; undefined otherwise. */
  onlyModel(): ModelName | undefined {
    const { canonical } = this.#read();
    return canonical.size === 1 ? canonical.values().next().value : undefined;
  }

  /**
   * Backends whose engine has the route, or another one that it can be translated to; undefined = all of them. The same set object as long as the fleet is the same.
   * `named`: the request names a model; only then processes of our own and peers are among them.
   */
  having(route: RouteName, named: boolean): ReadonlySet<BackendId> | undefined {
    const { routes } = this.#read();
    const key = named ? route : `${route} unnamed`;
    if (routes.has(key)) return routes.get(key);
    const all = this.#registry.list();
    const ways = routesFor(route);
    const having = all.filter(
      (backend) => ways.some((way) => backend.kind.routes.has(way)) && (named || isPlain(backend)),
    );
    const only = having.length === all.length ? undefined : new Set(having.map((backend) => backend.id));
    routes.set(key, only);
    return only;
  }

  /**
   * Backends that serve the model, have the route as `having` says, and are not said to be unable to see with it;
   * undefined = none is. The same set object as long as the fleet is the same.
   */
  seeing(route: RouteName, model: ModelName): ReadonlySet<BackendId> | undefined {
    const { names, seeing } = this.#read();
    let ofRoute = seeing.get(route);
    if (ofRoute === undefined) seeing.set(route, (ofRoute = new Map()));
    if (ofRoute.has(model)) return ofRoute.get(model);
    const serving = names.get(model) ?? [];
    const able = serving.filter((backend) => canSee(backend, model) !== false);
    const having = this.having(route, true);
    const ids = able.map(({ id }) => id).filter((id) => having === undefined || having.has(id));
    const only = able.length === serving.length ? undefined : new Set(ids);
    ofRoute.set(model, only);
    return only;
  }

  /** Backends that may be asked for what names no model, dead ones included, in configuration order. */
  unnamed(): readonly Backend[] {
    return this.#registry.list().filter(isPlain);
  }

  /** What a client may ask for: what is live, processes, which start when they are asked for, and peers, which are declared. */
  offered(): readonly Backend[] {
    return this.#registry.list().filter((backend) => !isPlain(backend) || isUp(backend));
  }

  get(id: BackendId): Backend | undefined {
    return this.#registry.get(id);
  }

  #read(): Index {
    if (this.#index !== undefined) return this.#index;
    const names = new Map<ModelName, Backend[]>();
    const canonical = new Set<ModelName>();
    for (const backend of this.#registry.list()) {
      for (const [name, own] of backend.view.models) {
        canonical.add(own);
        const knowing = names.get(name);
        if (knowing === undefined) names.set(name, [backend]);
        else knowing.push(backend);
      }
    }
    this.#index = { names, canonical, routes: new Map(), seeing: new Map(), ollamaNames: undefined };
    return this.#index;
  }
}

/** Neither one that would have to be started for it, nor somebody else's. */
export function isPlain({ view, isPeer }: Backend): boolean {
  return view.process === undefined && isPeer !== true;
}

export function isUp({ view }: Backend): boolean {
  return view.state === 'live' || view.state === 'degraded';
}

/**
 * What a running engine says of itself, else what the configuration declares; undefined = neither does. A model that is not
 * loaded may be more than its entry tells.
 */
function canSee({ view, modelObjects, declaresImages }: Backend, model: ModelName): boolean | undefined {
  const name = view.models.get(model) ?? model;
  const told = view.loaded.has(name) ? takesImages(modelObjects.get(name) ?? {}) : undefined;
  return told ?? declaresImages;
}
