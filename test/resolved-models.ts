/** What `resolveModels` would make of a file, written by hand with as little as a test needs. */
import {
  noModels,
  type ModelsConfig,
  type ResolvedFilters,
  type ResolvedModel,
  type ResolvedPeer,
  type ResolvedProfile,
  type ResolvedSelector,
} from '../src/config/models.ts';
import type { Repairs } from '../src/config/schema-repairs.ts';
import type { Wording } from '../src/config/schema-wording.ts';

export const noFilters: ResolvedFilters = { stripParams: [], setParams: [], setParamsById: new Map() };

const timeouts = {
  connectMs: 5000,
  keepaliveMs: 0,
  responseHeaderMs: 0,
  tlsHandshakeMs: 0,
  expectContinueMs: 0,
  idleConnMs: 0,
};

export const noRepairs: Repairs = {
  trimContext: false,
  dropTools: false,
  dropImages: false,
  toolCalls: false,
  thinkTags: false,
  volatilePrefix: false,
};

const wording: Wording = { cancelNonStreaming: true, streamUsage: true, repairs: noRepairs };

export function peer(id: string, more: Partial<ResolvedPeer> & Pick<ResolvedPeer, 'models'>): ResolvedPeer {
  return {
    id,
    proxy: 'http://127.0.0.1:9',
    apiKey: undefined,
    filters: noFilters,
    timeouts,
    wording,
    ...more,
  };
}

export function model(id: string, more: Partial<ResolvedModel> = {}): ResolvedModel {
  return {
    id,
    cmd: 'true',
    cmdStop: '',
    proxy: 'http://127.0.0.1:9',
    port: undefined,
    aliases: [],
    aliasListings: new Map(),
    env: {},
    checkEndpoint: 'none',
    ttlMs: 0,
    readyTimeoutMs: 1000,
    unloadTimeoutMs: 1000,
    unlisted: false,
    useModelName: undefined,
    name: '',
    description: '',
    concurrencyLimit: 0,
    filters: noFilters,
    metadata: {},
    sendLoadingState: false,
    wording,
    timeouts,
    ignoreWebsockets: false,
    capabilities: undefined,
    hooks: { onLoad: [], onUnload: [] },
    ...more,
  };
}

export function profile(name: string, pins: Readonly<Record<string, string | undefined>>): ResolvedProfile {
  return { name, description: '', pins: new Map(Object.entries(pins)) };
}

export function selector(
  id: string,
  more: Partial<ResolvedSelector> & Pick<ResolvedSelector, 'strategy' | 'targets'>,
): ResolvedSelector {
  return { id, spillover: 1, name: '', description: '', unlisted: false, metadata: {}, ...more };
}

interface Parts {
  readonly models?: readonly ResolvedModel[];
  readonly peers?: readonly ResolvedPeer[];
  readonly profiles?: readonly ResolvedProfile[];
  readonly selectors?: readonly ResolvedSelector[];
}

export function modelsConfig(parts: Parts, more: Partial<ModelsConfig> = {}): ModelsConfig {
  const byId = <Item extends { readonly id: string }>(items: readonly Item[] = []) =>
    new Map(items.map((item) => [item.id, item]));
  const members = (parts.models ?? []).map(({ id }) => id);
  return {
    ...noModels,
    models: byId(parts.models),
    peers: byId(parts.peers),
    selectors: byId(parts.selectors),
    profiles: new Map((parts.profiles ?? []).map((item) => [item.name, item])),
    routing: {
      kind: 'group',
      groups: [{ name: 'all', members, swap: false, exclusive: false, persistent: false }],
    },
    ...more,
  };
}
