/** Where conversations went last: soft affinity, bounded in number and in time. */
import { ExpiringTable } from '../base/expiring-table.ts';
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import type { SessionReading } from './affinity.ts';
import type { SchedulerSettings } from './settings.ts';

/** A header can name the same session for several models, whose prompts are cached apart. */
export class Sessions {
  readonly #backends: ExpiringTable<ModelName | undefined, string, BackendId>;

  constructor(settings: SchedulerSettings) {
    this.#backends = new ExpiringTable(toLimits(settings));
  }

  get size(): number {
    return this.#backends.size;
  }

  configure(settings: SchedulerSettings, nowMs: number): void {
    this.#backends.resize(toLimits(settings), nowMs);
  }

  /** Undefined where no conversation is known that the request belongs to. */
  backendOf({ model, session }: RequestFacts, nowMs: number): BackendId | undefined {
    return session === undefined ? undefined : this.#backends.get(model, session, nowMs);
  }

  remember({ model, session }: RequestFacts, backend: BackendId, nowMs: number): void {
    if (session !== undefined) this.#backends.set(model, session, { value: backend, nowMs });
  }

  /** Where the conversations that went somewhere last went, the most recent first. */
  newest(nowMs: number, max: number): SessionReading[] {
    return this.#backends
      .newest(nowMs, max)
      .map(({ row, value, remainingMs }) => ({ backend: value, model: row, remainingMs }));
  }

  prune(nowMs: number): void {
    this.#backends.prune(nowMs);
  }
}

function toLimits(settings: SchedulerSettings): { ttlMs: number; sizeMax: number } {
  return { ttlMs: settings.sessionTtlMs, sizeMax: settings.sessionsMax };
}
