/**
 * What one kind of inference server is: its routes, its habits on the wire, and how its state is read. One object per
 * kind in kinds/, all with the same shape; nothing elsewhere branches on an engine's name.
 */
import type { EngineHabits } from '../domain/engine-habits.ts';
import type { EngineName } from '../domain/engine-names.ts';
import type { ModelName } from '../domain/ids.ts';
import type { RouteName, TranslatableRoute } from '../domain/routes.ts';

export interface ProbeResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** Body parsed as JSON; undefined when it is none. */
  readonly json: unknown;
  readonly text: string;
}

/** Bound to one backend (URL, key, deadline per request, body bounded). Throws ProbeFailure when no answer came. */
export interface ProbeClient {
  get(path: string): Promise<ProbeResponse>;
}

/** What a round of readings may do. */
export interface ProbeRound {
  /**
   * False while nobody uses the engine: requests that restart its idle timer are left out, so that being watched does
   * not keep it from going to sleep.
   */
  readonly mayStir: boolean;
}

/** What an engine said of itself in one round of probes. Absent = it does not tell; never an error by itself. */
export interface EngineReading {
  /** ready: takes requests. loading: answers, but not yet. sleeping: takes requests after a reload of its model. */
  readonly readiness: 'ready' | 'loading' | 'sleeping';
  /** Client-visible name → canonical name. Undefined = the listing failed this time: keep the last one. */
  readonly models: ReadonlyMap<ModelName, ModelName> | undefined;
  readonly loaded: ReadonlySet<ModelName> | undefined;
  /** It answers, but its list of what is loaded failed this time: it may be unable to load anything. Absent = false. */
  readonly isLoadedHidden?: boolean | undefined;
  readonly slotsTotal: number | undefined;
  /** How many of them a request can name, from 0 on. Absent = none, or it did not say. */
  readonly slotIds?: number | undefined;
  /** Requests that it runs or holds in its own queue, whoever sent them. Undefined also when it was not asked this time. */
  readonly slotsBusy: number | undefined;
  readonly contextTokens: ReadonlyMap<ModelName, number> | undefined;
  /** Most models that it keeps loaded at once, if it says so (llama.cpp router mode: `max_instances`). */
  readonly modelsMax: number | undefined;
  /** Version or build, for display. */
  readonly version: string | undefined;
  /** Its own model objects by canonical name, merged into the entries of `/v1/models`. */
  readonly modelObjects: ReadonlyMap<ModelName, Readonly<Record<string, unknown>>> | undefined;
}

/** Something about an engine's own settings that costs its users something. */
export interface EngineAdvice {
  readonly level: 'note' | 'warning';
  /** What was seen there. */
  readonly saw: string;
  /** What to change there, as one would write it. */
  readonly change: string;
}

export interface EngineKind {
  readonly name: EngineName;
  readonly title: string;
  /** Default port, for discovery without configuration. */
  readonly port: number | undefined;
  /** Which requests the engine stops computing when its client disconnects. */
  readonly cancelsOnDisconnect: 'all' | 'streaming';
  /** Idle keep-alive sockets are closed before this; the engine's own limit less a margin. Infinity = it has none. */
  readonly socketIdleMsMax: number;
  /** It closes the connection after every event stream, whatever the head of its answer promised. */
  readonly socketEndsWithStream: boolean;
  /** Slots of a backend whose engine does not tell and whose configuration does not say: how many it usually runs at once. */
  readonly slotsUsual: number | undefined;
  /** One prompt cache for all its requests, so that one finds what another one running has read; else each slot has its own. */
  readonly sharesPrompts: boolean;
  /** Chat and completion streams end with `[DONE]`; without it they were cut, even if a finish reason came. */
  readonly endsWithDone: boolean;
  /** A stream of its chat and completion routes tells all that a whole answer does, so that one can be put together from it. */
  readonly streamsAreWhole: boolean;
  /** What it takes in requests and says in answers, beyond the API. */
  readonly habits: EngineHabits;
  /** Routes that it has itself, but whose answers are not what clients expect: another one is asked unless the user wants otherwise. */
  readonly routesTranslated: readonly TranslatableRoute[];
  /** Routes that the engine has itself. */
  readonly routes: ReadonlySet<RouteName>;
  /** Request headers that must not reach it (lower case), beside those no engine gets. */
  readonly headersWithheld: readonly string[];
  /** Statuses ≥ 500 that blame the client's request, by the engine's own message; such answers never count against the backend. */
  blamesClient(status: number, bodyHead: string): boolean;
  /** True when the server behind the client is of this kind. Called in the order of kinds/index.ts. */
  detect(client: ProbeClient): Promise<boolean>;
  /** One round of readings. Throws ProbeFailure when the engine cannot be reached or says that it is broken. */
  read(client: ProbeClient, round: ProbeRound): Promise<EngineReading>;
  /** What could be better about how it was started; absent = it tells nothing of that. Wakes and loads nothing. Never rejects. */
  advise?(client: ProbeClient): Promise<readonly EngineAdvice[]>;
}

/** Why a probe got no usable answer. */
export class ProbeFailure extends Error {
  override readonly name = 'ProbeFailure';
  /** refused: nobody listens there, so it is dead at once. unasked: for want of sockets, which says nothing of it. Others count up to the threshold. */
  readonly kind: 'refused' | 'unasked' | 'timeout' | 'broken' | 'status';

  constructor(kind: ProbeFailure['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
