/**
 * From a loaded configuration to what it says about models: the one place where defaults of the file, aliases, groups,
 * profiles, selectors and peers come together. Pure; a configuration that load accepted never fails here.
 */
import { compileIgnorePath } from './ignore-paths.ts';
import type { ModelsConfig, ResolvedProfile, ResolvedSelector } from './models.ts';
import { createNameTable, findServed } from './names.ts';
import type { NameTable } from './names.ts';
import { aliasesOf, resolveModel, resolvePeer } from './resolve-model.ts';
import { resolveRouting } from './resolve-routing.ts';
import type { Config } from './schema.ts';

/** Not for a configuration that load refused: it would throw, or leave out what is wrong. */
export function resolveModels(config: Config): ModelsConfig {
  const table = nameTableOf(config);
  const models = Object.entries(config.models).map(([id, entry]) => resolveModel(id, entry, config));
  const peers = Object.entries(config.peers).map(([id, entry]) => resolvePeer(id, entry));
  return {
    models: new Map(models.map((model) => [model.id, model])),
    routing: resolveRouting(config),
    priorities: prioritiesOf(config, table),
    profiles: new Map(
      Object.entries(config.profiles).map(([name, profile]) => [name, resolveProfile(name, profile)]),
    ),
    selectors: new Map(
      Object.entries(config.selectors).map(([id, selector]) => [id, resolveSelector(id, selector, table)]),
    ),
    peers: new Map(peers.map((peer) => [peer.id, peer])),
    preload: preloadOf(config, table),
    includeAliasesInList: config.includeAliasesInList,
    ignorePaths: config.upstream.ignorePaths.map(compileIgnorePath),
  };
}

/** The names in a configuration, for whoever has to look one up before it is resolved. */
export function nameTableOf({ models, peers }: Pick<Config, 'models' | 'peers'>): NameTable {
  return createNameTable(
    Object.entries(models).map(([id, entry]) => ({ id, aliases: aliasesOf(id, entry) })),
    Object.entries(peers).map(([id, entry]) => ({ id, models: entry.models })),
  );
}

/** An alias as key gives its model the priority; the id itself wins over aliases. */
function prioritiesOf({ routing }: Config, table: NameTable): Map<string, number> {
  const priorities = new Map<string, number>();
  const written = Object.entries(routing.scheduler.settings.fifo.priority);
  for (const [name, priority] of written) {
    const target = findServed(table, name);
    if (target?.kind === 'model' && !priorities.has(target.model)) priorities.set(target.model, priority);
  }
  for (const [name, priority] of written) if (table.models.has(name)) priorities.set(name, priority);
  return priorities;
}

function resolveProfile(name: string, { description, pins }: Config['profiles'][string]): ResolvedProfile {
  const targets = Object.entries(pins).map(
    ([requested, target]) => [requested, target === null || target === '' ? undefined : target] as const,
  );
  return { name, description, pins: new Map(targets) };
}

function resolveSelector(
  id: string,
  selector: Config['selectors'][string],
  table: NameTable,
): ResolvedSelector {
  const { strategy, name, description, unlisted, metadata, settings } = selector;
  const targets = selector.targets.flatMap((requested) => {
    const target = findServed(table, requested);
    return target === undefined ? [] : [{ ...target, requested }];
  });
  return { id, strategy, targets, spillover: settings.spillover, name, description, unlisted, metadata };
}

function preloadOf({ hooks }: Config, table: NameTable): string[] {
  const targets = hooks.on_startup.preload.map((name) => findServed(table, name.trim()));
  return [...new Set(targets.flatMap((target) => (target?.kind === 'model' ? [target.model] : [])))];
}
