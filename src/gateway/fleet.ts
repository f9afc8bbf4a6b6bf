/** What the fleet as a whole offers: model names, who has which route. Derived from the registry, rebuilt when it changed. */
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { RouteName } from '../domain/routes.ts';
import type { Backend, BackendDirectory } from '../engines/backend.ts';

interface Index {
  readonly names: ReadonlyMap<ModelName, readonly Backend[]>;
  readonly canonical: ReadonlySet<ModelName>;
  readonly routes: Map<RouteName, ReadonlySet<BackendId> | undefined>;
}

export class Fleet {
  readonly #registry: BackendDirectory;
  #index: Index | undefined;

  constructor(registry: BackendDirectory) {
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

  /** The one model of a fleet that has just one; undefined otherwise. */
  onlyModel(): ModelName | undefined {
    const { canonical } = this.#read();
    return canonical.size === 1 ? canonical.values().next().value : undefined;
  }

  /** Backends whose engine has the route; undefined = all of them. The same set object as long as the fleet is the same. */
  having(route: RouteName): ReadonlySet<BackendId> | undefined {
    const { routes } = this.#read();
    if (routes.has(route)) return routes.get(route);
    const all = this.#registry.list();
    const having = all.filter((backend) => backend.kind.routes.has(route));
    const only = having.length === all.length ? undefined : new Set(having.map((backend) => backend.id));
    routes.set(route, only);
    return only;
  }

  /** Backends that may be asked now, in configuration order. */
  live(): readonly Backend[] {
    return this.#registry.list().filter(({ view }) => view.state === 'live' || view.state === 'degraded');
  }

  /** What a client may ask for now: live, or a process that starts when it is asked for. */
  offered(): readonly Backend[] {
    return this.#registry
      .list()
      .filter(({ view }) => view.process !== undefined || view.state === 'live' || view.state === 'degraded');
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
    this.#index = { names, canonical, routes: new Map() };
    return this.#index;
  }
}
