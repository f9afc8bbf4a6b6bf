/**
 * What a requested model name stands for. Precedence: pin of the active profile, selector, local model, alias, `PEER/MODEL`,
 * and the bare name of a peer's model if only one peer has it. Pure.
 */
import type { ModelName } from '../domain/ids.ts';
import type { ModelsConfig, ResolvedName, ResolvedProfile, ServedTarget } from './models.ts';

export interface ModelNames {
  /** undefined: nobody answers to it, or the active profile disables it. A pin never leads to another pin. */
  resolve(name: string, profile?: ResolvedProfile): ResolvedName | undefined;
  /** Every name that `resolve` knows without a profile, for hints. */
  all(): Iterable<string>;
}

export function createModelNames(config: Pick<ModelsConfig, 'models' | 'peers' | 'selectors'>): ModelNames {
  const { selectors } = config;
  const table = createNameTable(config.models.values(), config.peers.values());
  return {
    resolve(name, profile) {
      const wanted = profile?.pins.has(name) === true ? profile.pins.get(name) : name;
      if (wanted === undefined) return undefined;
      const selector = selectors.get(wanted);
      return selector === undefined ? findServed(table, wanted) : { kind: 'selector', selector };
    },
    *all() {
      yield* selectors.keys();
      yield* table.models;
      yield* table.aliases.keys();
      yield* table.qualified.keys();
      for (const [name, target] of table.bare) if (target !== 'ambiguous') yield name;
    },
  };
}

/** Names of what can serve requests. */
export interface NameTable {
  readonly models: ReadonlySet<ModelName>;
  /** Model by alias; of several models with one alias, the first has it. */
  readonly aliases: ReadonlyMap<string, ModelName>;
  /** By `PEER/MODEL`. */
  readonly qualified: ReadonlyMap<string, ServedTarget>;
  readonly bare: ReadonlyMap<string, ServedTarget | 'ambiguous'>;
}

export function createNameTable(
  models: Iterable<{ readonly id: ModelName; readonly aliases: readonly string[] }>,
  peers: Iterable<{ readonly id: string; readonly models: readonly ModelName[] }>,
): NameTable {
  const ids = new Set<ModelName>();
  const aliases = new Map<string, ModelName>();
  for (const model of models) {
    ids.add(model.id);
    for (const alias of model.aliases) if (!aliases.has(alias)) aliases.set(alias, model.id);
  }
  const qualified = new Map<string, ServedTarget>();
  const bare = new Map<string, ServedTarget | 'ambiguous'>();
  for (const peer of peers) {
    for (const model of new Set(peer.models)) {
      const target: ServedTarget = { kind: 'peer', peer: peer.id, model };
      qualified.set(qualifiedName(peer.id, model), target);
      bare.set(model, bare.has(model) ? 'ambiguous' : target);
    }
  }
  return { models: ids, aliases, qualified, bare };
}

/** The model behind a name that is no selector. */
export function findServed(
  { models, aliases, qualified, bare }: NameTable,
  name: string,
): ServedTarget | undefined {
  if (models.has(name)) return { kind: 'model', model: name };
  const aliased = aliases.get(name);
  if (aliased !== undefined) return { kind: 'model', model: aliased };
  const target = qualified.get(name) ?? bare.get(name);
  return target === 'ambiguous' ? undefined : target;
}

/** How a peer's model is always called. */
export function qualifiedName(peer: string, model: ModelName): string {
  return `${peer}/${model}`;
}
