/** What the watches of all backends in one registry share. Types only. */
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Config } from '../config/schema.ts';
import type { BackendView } from '../domain/backend-view.ts';
import type { BackendId } from '../domain/ids.ts';
import type { BackendDefaults } from './compose-view.ts';

export type ProbeSettings = Config['probes'];

/** The part of setTimeout that is needed; tests bring their own. */
export interface Timers {
  set(callback: () => void, delayMs: number): unknown;
  clear(handle: unknown): void;
}

/** Structured log; a pino logger is one. */
export interface BackendLog {
  info(details: Readonly<Record<string, unknown>>, message: string): void;
  warn(details: Readonly<Record<string, unknown>>, message: string): void;
}

/** Mutable: a reload replaces settings and defaults under running watches. */
export interface WatchContext {
  probes: ProbeSettings;
  defaults: BackendDefaults;
  /** Of this router: what an engine has by way of it is no news; undefined = engines are no routers. */
  readonly signature: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  readonly log: BackendLog;
  /** In percent, as of now; undefined = nobody tells. */
  readonly gpuLoadOf: (id: BackendId) => number | undefined;
  /** Of those that somebody tells of, roughly. */
  readonly gpuLoadElsewhere: () => number | undefined;
  readonly changed: (view: BackendView) => void;
}
