/** What the admin API needs of the rest of the router: readings and a few verbs. The composition root provides it. */
import type { Logger } from 'pino';
import type { Clock } from '../base/clock.ts';
import type { ModelsConfig, ResolvedProfile } from '../config/models.ts';
import type { Config } from '../config/schema.ts';
import type { AdminAccess } from '../domain/admin-access.ts';
import type { HostReading, WatchedHost } from '../domain/host-reading.ts';
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { Backend } from '../engines/backend.ts';
import type { KeyReading } from '../keys/key-meter.ts';
import type { KeyRules } from '../keys/key-rules.ts';
import type { OutputLog } from '../process/output.ts';
import type { ProcessState } from '../process/process-state.ts';
import type { AffinityReading } from '../scheduler/affinity.ts';
import type { CandidateTrace } from '../scheduler/decision.ts';
import type { MemoryNeed } from '../scheduler/residency/memory.ts';
import type { SchedulerSnapshot } from '../scheduler/snapshot.ts';
import type { LoadForesight } from '../scheduler/swap.ts';
import type { Activity } from '../store/activity.ts';
import type { ResponseCache } from '../store/cache/response-cache.ts';
import type { Captures } from '../store/captures.ts';
import type { DecisionLog } from '../store/decisions.ts';
import type { History } from '../store/history.ts';
import type { RequestTable } from '../store/requests.ts';
import type { StoreName } from '../store/store-faults.ts';
import type { Usage } from '../store/usage.ts';
import type { Hardware } from '../telemetry/host/hardware.ts';

/** How the last attempt to take over the configuration file went. */
export interface ReloadReport {
  readonly atEpochMs: number;
  readonly ok: boolean;
  /** `file:line:col path: problem`, one per problem; empty when `ok`. Without secrets. */
  readonly problems: readonly string[];
}

/** The part of the scheduler's state that is shown. */
export type SchedulerReadings = Pick<SchedulerSnapshot, 'queuedTotal' | 'queued' | 'backends' | 'sessions'>;

/** The simulated users of a demo. */
export interface DemoControl {
  readonly trafficRunning: () => boolean;
  readonly setTraffic: (running: boolean) => void;
}

/** The models with processes of our own. */
export interface ModelControl {
  /** Models, peers and names in force. */
  readonly config: () => ModelsConfig;
  /** What its process does; undefined = there is none of that name. */
  readonly stateOf: (model: ModelName) => ProcessState['name'] | undefined;
  /** The model that a name or an alias stands for, whatever profile is active. */
  readonly find: (name: string) => ModelName | undefined;
  /** What a load of it would do now; undefined = there is no such process. */
  readonly foreseeLoad: (model: ModelName) => LoadForesight | undefined;
  /** Memory that it takes, as declared, else as measured; undefined = there is no such process. */
  readonly needOf: (model: ModelName) => MemoryNeed | undefined;
  /** Requests that run on it. */
  readonly requestsOf: (model: ModelName) => number;
  /** Resolves when it takes requests; rejects with the reason when it cannot. */
  readonly load: (model: ModelName) => Promise<void>;
  /**
   * Requests that wait for it are refused, running ones get its `unloadTimeout`, then the process gets the same, then it is
   * killed. Resolves with true when it has stopped, with false when it is still there some time after that.
   */
  readonly unload: (model: ModelName) => Promise<boolean>;
  /** Called when the state of a model has changed, or the models themselves. Returns the function that ends the subscription. */
  readonly subscribe: (listener: () => void) => () => void;
}

/** A request that somebody wonders about. */
export interface AskedPlacement {
  readonly path: string;
  readonly body: Buffer;
  readonly rawHeaders: readonly string[];
  readonly flow: string;
}

/** Where conversations and prompts are at home. */
export interface AffinityLookup {
  readonly settings: () => { readonly enabled: boolean; readonly ttlMs: number };
  readonly read: (sessionsMax: number) => AffinityReading;
  /** Where a request would go. @throws LlameroError where it could not even be placed */
  readonly explain: (asked: AskedPlacement) => {
    readonly model: ModelName | undefined;
    readonly hasSession: boolean;
    readonly prompt: { readonly bytes: number; readonly blocks: number } | undefined;
    readonly candidates: readonly CandidateTrace[];
  };
}

/** Which profile is active. */
export interface ProfileChoice {
  /** undefined = none. */
  readonly name: string | undefined;
  readonly all: ReadonlyMap<string, ResolvedProfile>;
  /** undefined = none. False when there is none of that name; then nothing changes. */
  choose(name: string | undefined): boolean;
  /** Called with the name of the active profile after each change. Returns the function that ends the subscription. */
  subscribe(listener: (active: string | undefined) => void): () => void;
}

/** What is remembered of finished requests. */
export interface ActivityLookup extends Pick<Activity, 'list' | 'totals'> {
  readonly captures: Pick<Captures, 'has' | 'get'>;
  /** Called with the id of each new row. Returns the function that ends the subscription. */
  subscribe(listener: (id: number) => void): () => void;
}

/** Tokens and requests by key, backend and model. */
export type UsageLookup = Pick<Usage, 'totals' | 'sums' | 'series' | 'rows'>;

/** How a command that is run around a model went. */
export interface HookOutcome {
  readonly model: ModelName;
  readonly event: 'on_load' | 'on_unload';
  /** Without its arguments. */
  readonly program: string;
  readonly ok: boolean;
  /** Empty = none. */
  readonly problem: string;
  readonly durationMs: number;
}

/** The commands around models. */
export interface HookNews {
  /** Called after each one. Returns the function that ends the subscription. */
  subscribe(listener: (outcome: HookOutcome) => void): () => void;
}

/** This machine. */
export interface PerformanceLookup {
  /** False: nobody looks at it. */
  readonly enabled: boolean;
  /** undefined = there is none that is young enough to be believed. */
  readonly latest: () => HostReading | undefined;
  /** From the oldest to the newest, of the last hour; `afterEpochMs`: only newer ones. */
  readonly history: (afterEpochMs?: number) => readonly HostReading[];
  readonly hardware: () => Promise<Hardware>;
}

export interface LogLookup {
  /** What goes to the router's own output, too (`logToStdout`). */
  readonly all: OutputLog;
  /** `proxy`: the router's. `upstream`: what all models print. Else that of one model, by a name of it. */
  readonly find: (name: string) => OutputLog | undefined;
}

export interface AdminDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
  readonly startedEpochMs: number;
  /** The engines are simulated; the page says so. Undefined = they are real. */
  readonly demo: DemoControl | undefined;
  readonly requests: RequestTable;
  readonly decisions: DecisionLog;
  readonly history: History;
  /** Addresses that are served now, as `HOST:PORT`. */
  readonly listen: () => readonly string[];
  readonly configFile: () => string | undefined;
  /** Undefined before the first reload. */
  readonly lastReload: () => ReloadReport | undefined;
  /** True when clients must send a key. */
  readonly keysRequired: () => boolean;
  /** How much a caller gets to see who sends these headers, names and values alternating; where no keys are asked for, all. */
  readonly accessOf: (headers: readonly string[]) => AdminAccess;
  /** Every API key with what it uses, by name. */
  readonly keys: () => readonly { readonly rules: KeyRules; readonly reading: KeyReading }[];
  /** True from the beginning of a drain on, the lame-duck time included. */
  readonly draining: () => boolean;
  /** `queuedMax`: most waiting requests wanted, in their order. */
  readonly snapshot: (queuedMax: number) => SchedulerReadings;
  readonly backends: () => readonly Backend[];
  /** The machine of a backend; undefined = nobody watches it. */
  readonly hostOf: (id: BackendId) => WatchedHost | undefined;
  readonly models: ModelControl;
  readonly profile: ProfileChoice;
  readonly logs: LogLookup;
  /** Aborted when the router begins to stop: answers that have no end of their own end then. */
  readonly ending: AbortSignal;
  readonly activity: ActivityLookup;
  /** Stores that cannot be written now. */
  readonly storesFailing: () => readonly StoreName[];
  readonly usage: UsageLookup;
  readonly hooks: HookNews;
  readonly performance: PerformanceLookup;
  readonly affinity: AffinityLookup;
  /** undefined = no answers are kept. */
  readonly cache: () => Pick<ResponseCache, 'counts' | 'size' | 'clear'> | undefined;
  readonly cacheSettings: () => Pick<Config['cache'], 'store' | 'semantic'>;
  /** Request headers that name a session, in order. */
  readonly sessionHeaders: () => readonly string[];
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** The configuration in force as YAML, secrets masked. */
  readonly printConfig: () => string;
  /** Reads the configuration file again. Never rejects for a bad file: that is in the report. */
  readonly reload: () => Promise<ReloadReport>;
  /** `true`: no new requests go there. Only called for backends that exist. */
  readonly setBackendDraining: (id: BackendId, draining: boolean) => void;
  readonly probeNow: (id: BackendId) => void;
}
