/** `GET /v1/models`: the union of what the live backends serve, once per model, in OpenAI's shape. */
import type { ModelName } from '../domain/ids.ts';
import type { Backend } from '../engines/backend.ts';

/** The engine's own object of a model (its `meta`, `architecture` …), completed and with what only the router knows. */
export interface ModelEntry {
  readonly id: ModelName;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
  readonly aliases: readonly ModelName[];
  readonly llamero: { readonly backends: readonly string[]; readonly loaded: boolean };
  readonly [key: string]: unknown;
}

/** `startedEpochS`: `created` of models whose engine gives none. Backends in configuration order; the first one's object wins. */
export function listModels(backends: readonly Backend[], startedEpochS: number): ModelEntry[] {
  const entries = new Map<
    ModelName,
    { own: Record<string, unknown>; names: Set<ModelName>; on: Set<string>; loaded: boolean }
  >();
  for (const backend of backends) {
    for (const [name, canonical] of backend.view.models) {
      let entry = entries.get(canonical);
      if (entry === undefined) {
        entry = { own: {}, names: new Set(), on: new Set(), loaded: false };
        entries.set(canonical, entry);
      }
      if (entry.on.size === 0) entry.own = { ...backend.modelObjects.get(canonical) };
      entry.on.add(backend.id);
      entry.loaded ||= backend.view.loaded.has(canonical);
      if (name !== canonical) entry.names.add(name);
    }
  }
  return [...entries].map(([id, { own, names, on, loaded }]) => ({
    created: startedEpochS,
    owned_by: 'llamero',
    ...own,
    id,
    object: 'model',
    aliases: [...names].sort(),
    llamero: { backends: [...on], loaded },
  }));
}

/** The entry that a name or an alias stands for. */
export function findModel(entries: readonly ModelEntry[], name: ModelName): ModelEntry | undefined {
  return entries.find((entry) => entry.id === name) ?? entries.find((entry) => entry.aliases.includes(name));
}
