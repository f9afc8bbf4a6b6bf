/** One engine at one URL, as the rest of the router sees it. Owned by the registry; its view is replaced, never changed. */
import type { ResolvedFilters } from '../config/models.ts';
import type { BackendConfig } from '../config/schema.ts';
import type { BackendView } from '../domain/backend-view.ts';
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { MemoryNeed } from '../scheduler/residency/memory.ts';
import type { EngineKind } from './engine-kind.ts';

/** A request to a backend that did not work, as the data plane saw it. Client aborts and 4xx are never reported. */
export type BackendFailure = 'connect' | 'reset' | 'timeout' | 'protocol' | 'status';

export interface ProbeStatus {
  /** Wall-clock time of the last finished round; undefined before the first. */
  readonly atEpochMs: number | undefined;
  readonly durationMs: number | undefined;
  /** Why the last round failed; undefined when it was good. */
  readonly error: string | undefined;
  readonly failuresInRow: number;
}

/** What the configuration wants changed in a request before a backend gets it. */
export interface RequestEdits {
  /** The model's name there; undefined = the request keeps the name it has. */
  readonly model: string | undefined;
  readonly filters: ResolvedFilters;
}

/** Memory of a process of ours. */
export interface MemoryUse {
  /** What is reckoned with: as declared, else as measured. */
  readonly need: MemoryNeed;
  /** The most that any run of its command was seen to take. */
  readonly measured: MemoryNeed;
}

export interface Backend {
  readonly id: BackendId;
  readonly config: BackendConfig;
  readonly url: URL;
  /** The detected or configured kind; `openai` while `auto` has not found out yet. */
  readonly kind: EngineKind;
  readonly view: BackendView;
  readonly probe: ProbeStatus;
  readonly version: string | undefined;
  readonly modelObjects: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** A server of somebody else's: gets requests only for models that are looked up there, never what nobody else knows. */
  readonly isPeer?: true;
  /** Whether the configuration declares that its model takes images; undefined = it says nothing of it. */
  readonly declaresImages?: boolean | undefined;
  /** Only of a process of ours. */
  readonly memory?: MemoryUse;
  /** Only of a process of ours; undefined while its program does not run. */
  readonly pid?: number | undefined;
  /** For a model by its canonical name here; absent = nothing is ever changed. */
  editsFor?(model: ModelName): RequestEdits;
}

export interface BackendListener {
  backendChanged(view: BackendView): void;
  backendRemoved(id: BackendId): void;
}

/** All backends wherever they come from, as the data plane and the listings use them. */
export interface BackendDirectory {
  get(id: BackendId): Backend | undefined;
  list(): readonly Backend[];
  reportFailure(id: BackendId, failure: BackendFailure, model?: ModelName): void;
  reportSuccess(id: BackendId, model?: ModelName): void;
  probeNow(id: BackendId): void;
  /** Asks for a probe now. Resolves when one that began later than this call has ended, or the backend is gone. */
  probed(id: BackendId): Promise<void>;
}

/** Owns every backend. Identity survives a reload: an unchanged backend keeps its state, its readings and its object. */
export interface BackendRegistry extends BackendDirectory {
  get(id: BackendId): Backend | undefined;
  list(): readonly Backend[];
  /** Takes over a new set: starts probing what is new or changed, forgets what is gone. */
  apply(backends: Readonly<Record<BackendId, BackendConfig>>): void;
  /**
   * The data plane saw a request fail. `connect` starts a probe at once; `breakerFailures` in a row make it dead. `model`:
   * what was asked for, by its canonical name; it is not trusted with that for a while.
   */
  reportFailure(id: BackendId, failure: BackendFailure, model?: ModelName): void;
  /** The data plane got a first byte: ends a row of failures, and the distrust in this model. */
  reportSuccess(id: BackendId, model?: ModelName): void;
  /** Asks for a probe now (after a connect failure, a lingering slot, an operator's wish); coalesced with a running one. */
  probeNow(id: BackendId): void;
  /** Ends all timers and probes. */
  close(): Promise<void>;
}
