/** What the admin API needs of the rest of the router: readings and a few verbs. The composition root provides it. */
import type { Logger } from 'pino';
import type { Clock } from '../base/clock.ts';
import type { BackendId } from '../domain/ids.ts';
import type { Backend } from '../engines/backend.ts';
import type { SchedulerSnapshot } from '../scheduler/snapshot.ts';
import type { DecisionLog } from '../store/decisions.ts';
import type { History } from '../store/history.ts';
import type { RequestTable } from '../store/requests.ts';

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
  /** True from the beginning of a drain on, the lame-duck time included. */
  readonly draining: () => boolean;
  /** `queuedMax`: most waiting requests wanted, in their order. */
  readonly snapshot: (queuedMax: number) => SchedulerReadings;
  readonly backends: () => readonly Backend[];
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** The configuration in force as YAML, secrets masked. */
  readonly printConfig: () => string;
  /** Reads the configuration file again. Never rejects for a bad file: that is in the report. */
  readonly reload: () => Promise<ReloadReport>;
  /** `true`: no new requests go there. Only called for backends that exist. */
  readonly setBackendDraining: (id: BackendId, draining: boolean) => void;
  readonly probeNow: (id: BackendId) => void;
}
