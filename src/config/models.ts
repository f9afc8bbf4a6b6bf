/**
 * What the configuration says about models, ready for use: macros expanded, defaults filled in, names checked, times in
 * ms. `resolveModels` builds them.
 */
import type { Wording } from './schema-wording.ts';
import type { ModelName } from '../domain/ids.ts';
import type { Group } from '../scheduler/residency/groups.ts';
import type { MemoryBudget, MemoryNeed } from '../scheduler/residency/memory.ts';
import type { MatrixPlannerOptions } from '../scheduler/residency/matrix/planner.ts';

/** Everything about models, peers and their names. A new one per load; equal files give equal ones. */
export interface ModelsConfig {
  /** By id, in the order of the file. */
  readonly models: ReadonlyMap<ModelName, ResolvedModel>;
  readonly routing: ResolvedRouting;
  /** By real model id (an alias as key counts for its model); models without one have 0. Higher goes first. */
  readonly priorities: ReadonlyMap<ModelName, number>;
  readonly profiles: ReadonlyMap<string, ResolvedProfile>;
  readonly selectors: ReadonlyMap<string, ResolvedSelector>;
  /** By peer id, in the order of the file. */
  readonly peers: ReadonlyMap<string, ResolvedPeer>;
  /** Ids of local models to load at the start, each once. */
  readonly preload: readonly ModelName[];
  /** Aliases get rows of their own in the model list. */
  readonly includeAliasesInList: boolean;
  /** Paths below `/upstream/MODEL` that never cause a load. */
  readonly ignorePaths: readonly RegExp[];
}

/** One model that the router starts itself. */
export interface ResolvedModel {
  readonly id: ModelName;
  /** Command line without comment lines, not yet split. May be empty: starting such a model fails. */
  readonly cmd: string;
  /** Run instead of sending SIGTERM; `${PID}` stands for the child's process id. Empty = SIGTERM. */
  readonly cmdStop: string;
  /** Where the child listens, as written in normal form; a path in it is put before every route. */
  readonly proxy: string;
  /** The port of `proxy` when it is on this machine and `cmd` names it: it must be free when the child starts. */
  readonly port: number | undefined;
  /** Other names, first the explicit ones, then the keys of `setParamsByID` besides the id. */
  readonly aliases: readonly string[];
  /** By alias; only of those that say how they are listed. */
  readonly aliasListings: ReadonlyMap<string, AliasListing>;
  readonly env: Readonly<Record<string, string>>;
  /** Path asked until it answers 200; `none` = ready as soon as the program runs. */
  readonly checkEndpoint: string;
  /** Unloaded this long after its last request; 0 = never. */
  readonly ttlMs: number;
  readonly readyTimeoutMs: number;
  readonly unloadTimeoutMs: number;
  readonly unlisted: boolean;
  /** Written into the body in place of the requested name; undefined = the body keeps it. */
  readonly useModelName: string | undefined;
  readonly name: string;
  readonly description: string;
  /** Most requests that wait and run together; the one after gets 429. 0 = no limit: they wait in the queue, which is bounded as a whole. */
  readonly concurrencyLimit: number;
  readonly filters: ResolvedFilters;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly sendLoadingState: boolean;
  readonly wording: Wording;
  readonly timeouts: ResolvedTimeouts;
  /** WebSockets bypass the scheduler: they load nothing, count as nothing, and get 409 while the model is not ready. */
  readonly ignoreWebsockets: boolean;
  /** undefined = nothing is declared. */
  readonly capabilities: ResolvedCapabilities | undefined;
  readonly hooks: ResolvedHooks;
}

/** How an alias is shown in lists. */
export interface AliasListing {
  /** Display name; empty = that of the model. */
  readonly name: string;
  readonly unlisted: boolean;
}

/** Commands around a model, in the order in which they are run. */
export interface ResolvedHooks {
  /** When it is ready. */
  readonly onLoad: readonly ResolvedHook[];
  /** When its process is gone, if it was ready. */
  readonly onUnload: readonly ResolvedHook[];
}

export interface ResolvedHook {
  /** Command line, not yet split; `${MODEL_ID}`, `${PORT}` and `${PID}` stand for those of the model. */
  readonly cmd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** onLoad only: the model takes no requests before it has succeeded. */
  readonly required: boolean;
}

/** Edits of a JSON body, in this order: strip, setParams, setParamsById of the requested name. */
export interface ResolvedFilters {
  /** Paths of members to remove, sorted; never `model`. */
  readonly stripParams: readonly ParamPath[];
  /** Sorted by key; never `model`. */
  readonly setParams: readonly SetParam[];
  /** By requested name. Empty for peers. */
  readonly setParamsById: ReadonlyMap<string, readonly SetParam[]>;
}

/** Where a member is: `chat_template_kwargs.reasoning_effort` → two keys. */
export type ParamPath = readonly string[];

export interface SetParam {
  readonly path: ParamPath;
  /** The value as JSON text, to be put into the body as it is. */
  readonly json: string;
}

/** All in ms; 0 = no limit (keepalive: the system's own period). */
export interface ResolvedTimeouts {
  readonly connectMs: number;
  readonly keepaliveMs: number;
  readonly responseHeaderMs: number;
  readonly tlsHandshakeMs: number;
  readonly expectContinueMs: number;
  readonly idleConnMs: number;
}

export type Modality = 'text' | 'audio' | 'image';

export interface ResolvedCapabilities {
  readonly in: readonly Modality[];
  readonly out: readonly Modality[];
  readonly tools: boolean;
  readonly reranker: boolean;
  /** Tokens; 0 = not declared. */
  readonly context: number;
}

/** Which models may be loaded together. Every model is in exactly one group; those in none are in `(default)`. */
export type ResolvedRouting =
  | { readonly kind: 'group'; readonly groups: readonly Group[] }
  | ({ readonly kind: 'matrix' } & MatrixPlannerOptions)
  | {
      readonly kind: 'memory';
      readonly budget: MemoryBudget;
      /** What the file says of the needs of models; models of which it says nothing are not in it. */
      readonly declared: ReadonlyMap<ModelName, MemoryNeed>;
    };

export interface ResolvedProfile {
  readonly name: string;
  readonly description: string;
  /** By requested name, in the order of the file: the name it stands for; undefined = the name is disabled. */
  readonly pins: ReadonlyMap<string, string | undefined>;
}

export type SelectorStrategy = 'pin' | 'warm' | 'spillover';

export interface ResolvedSelector {
  readonly id: string;
  readonly strategy: SelectorStrategy;
  /** In order of preference, at least one. */
  readonly targets: readonly SelectorTarget[];
  /** spillover: requests in flight at a target from which on the next one is preferred; at least 1. */
  readonly spillover: number;
  readonly name: string;
  readonly description: string;
  readonly unlisted: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Another server whose models this one passes on. */
export interface ResolvedPeer {
  readonly id: string;
  /** Base URL in normal form; a path in it is put before every route. */
  readonly proxy: string;
  /** Sent as `Authorization: Bearer` and `x-api-key`; undefined = no key. Keys of clients never go there. */
  readonly apiKey: string | undefined;
  /** Names as the peer knows them; clients may also say `PEER/MODEL`. */
  readonly models: readonly ModelName[];
  readonly wording: Wording;
  readonly filters: ResolvedFilters;
  readonly timeouts: ResolvedTimeouts;
}

/** A model that can answer: a local one, or one of a peer. */
export type ServedTarget =
  | { readonly kind: 'model'; readonly model: ModelName }
  | { readonly kind: 'peer'; readonly peer: string; readonly model: ModelName };

/** `requested`: the name as the selector writes it, which a request takes over: it may have a `setParamsByID` of its own. */
export type SelectorTarget = ServedTarget & { readonly requested: string };

/** What a requested name stands for. */
export type ResolvedName = ServedTarget | { readonly kind: 'selector'; readonly selector: ResolvedSelector };

/** A configuration without models of its own. */
export const noModels: ModelsConfig = {
  models: new Map(),
  routing: { kind: 'group', groups: [] },
  priorities: new Map(),
  profiles: new Map(),
  selectors: new Map(),
  peers: new Map(),
  preload: [],
  includeAliasesInList: false,
  ignorePaths: [],
};
