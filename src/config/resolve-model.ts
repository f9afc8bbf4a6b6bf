/** One model and one peer out of the configuration: defaults of the file filled in, times in ms. Pure. */
import { environmentOf } from './environment.ts';
import { isLoopback } from './listen-address.ts';
import type {
  AliasListing,
  ResolvedCapabilities,
  ResolvedModel,
  ResolvedPeer,
  ResolvedTimeouts,
} from './models.ts';
import { resolveFilters } from './resolve-filters.ts';
import { resolveHooks } from './resolve-hooks.ts';
import type { Config, ModelEntry, PeerEntry } from './schema.ts';
import { wordingOf } from './schema-wording.ts';

const readyTimeoutMsMin = 15_000;
const unloadTimeoutMsDefault = 10_000;

/** Backs `/comfyui/`: its page asks for many things at once and keeps a WebSocket open. */
const comfyuiModel = 'comfyui_auto';
const comfyuiConcurrencyMin = 50;

export function resolveModel(id: string, entry: ModelEntry, config: Config): ResolvedModel {
  const isComfyui = id === comfyuiModel;
  return {
    id,
    cmd: entry.cmd,
    cmdStop: entry.cmdStop,
    proxy: normalUrl(entry.proxy),
    port: portOf(entry),
    aliases: aliasesOf(id, entry),
    aliasListings: aliasListingsOf(entry),
    env: environmentOf(entry.env),
    checkEndpoint: entry.checkEndpoint,
    ttlMs: entry.ttl ?? config.globalTTL,
    readyTimeoutMs: Math.max(config.healthCheckTimeout, readyTimeoutMsMin),
    unloadTimeoutMs: entry.unloadTimeout || config.unloadTimeout || unloadTimeoutMsDefault,
    unlisted: entry.unlisted,
    useModelName: entry.useModelName === '' ? undefined : entry.useModelName,
    name: entry.name,
    description: entry.description,
    concurrencyLimit: isComfyui
      ? atLeastIfSet(entry.concurrencyLimit, comfyuiConcurrencyMin)
      : entry.concurrencyLimit,
    filters: resolveFilters(entry.filters),
    metadata: entry.metadata,
    sendLoadingState: entry.sendLoadingState ?? config.sendLoadingState,
    wording: wordingOf(entry),
    timeouts: timeoutsOf(entry.timeouts),
    ignoreWebsockets: isComfyui || entry.compat.ignoreWebsockets,
    capabilities: capabilitiesOf(entry.capabilities),
    hooks: resolveHooks([id, ...aliasesOf(id, entry)], entry.hooks, config.hooks),
  };
}

export function resolvePeer(id: string, entry: PeerEntry): ResolvedPeer {
  return {
    id,
    proxy: normalUrl(entry.proxy),
    apiKey: entry.apiKey === '' ? undefined : entry.apiKey,
    models: [...new Set(entry.models)],
    filters: resolveFilters(entry.filters),
    wording: wordingOf(entry),
    timeouts: timeoutsOf(entry.timeouts),
  };
}

/** What lists say of aliases that say more than their name. */
function aliasListingsOf({ aliases }: ModelEntry): ReadonlyMap<string, AliasListing> {
  const listings = new Map<string, AliasListing>();
  for (const alias of aliases) {
    if (typeof alias !== 'string') listings.set(alias.id, { name: alias.name, unlisted: alias.unlisted });
  }
  return listings;
}

/** Explicit aliases, then the names of `setParamsByID`; each once, without the id. */
export function aliasesOf(id: string, { aliases, filters }: ModelEntry): string[] {
  const said = aliases.map((alias) => (typeof alias === 'string' ? alias : alias.id));
  const names = new Set([...said, ...Object.keys(filters.setParamsByID)]);
  names.delete(id);
  return [...names];
}

/** The port that `cmd` and `proxy` share, wherever the proxy is: the one chosen for `${PORT}`, or a fixed one. */
export function sharedPortOf({ cmd, proxy }: ModelEntry): number | undefined {
  const { port } = URL.canParse(proxy) ? new URL(proxy) : { port: '' };
  if (port === '' || !new RegExp(`(?<!\\d)${port}(?!\\d)`).test(cmd)) return undefined;
  return Number(port);
}

function portOf(entry: ModelEntry): number | undefined {
  if (!URL.canParse(entry.proxy)) return undefined;
  const host = new URL(entry.proxy).hostname.replaceAll(/^\[|\]$/g, '');
  return isLoopback(host) || host === '0.0.0.0' ? sharedPortOf(entry) : undefined;
}

/** A limit of 0 is none, which is more than any. */
function atLeastIfSet(limit: number, least: number): number {
  return limit === 0 ? 0 : Math.max(limit, least);
}

function normalUrl(text: string): string {
  return URL.canParse(text) ? new URL(text).href.replace(/\/+$/, '') : text;
}

function timeoutsOf(timeouts: ModelEntry['timeouts']): ResolvedTimeouts {
  return {
    connectMs: timeouts.connect,
    keepaliveMs: timeouts.keepalive,
    responseHeaderMs: timeouts.responseHeader,
    tlsHandshakeMs: timeouts.tlsHandshake,
    expectContinueMs: timeouts.expectContinue,
    idleConnMs: timeouts.idleConn,
  };
}

function capabilitiesOf(capabilities: ModelEntry['capabilities']): ResolvedCapabilities | undefined {
  const { in: takes, out, tools, reranker, context } = capabilities;
  const declaresNothing = takes.length + out.length + context === 0 && !tools && !reranker;
  return declaresNothing ? undefined : capabilities;
}
