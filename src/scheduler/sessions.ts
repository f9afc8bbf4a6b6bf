/** Where conversations went last: soft affinity, bounded in number and in time. */
import { ExpiringMap } from '../base/expiring-map.ts';
import type { BackendId } from '../domain/ids.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import type { SessionReading } from './affinity.ts';
import type { SchedulerSettings } from './settings.ts';

export class Sessions {
  readonly #backends: ExpiringMap<string, BackendId>;

  constructor(settings: SchedulerSettings) {
    this.#backends = new ExpiringMap(toLimits(settings));
  }

  get size(): number {
    return this.#backends.size;
  }

  configure(settings: SchedulerSettings, nowMs: number): void {
    this.#backends.resize(toLimits(settings), nowMs);
  }

  /** `key`: of `sessionKeyOf`; undefined = no conversation is known by it. */
  backendOf(key: string | undefined, nowMs: number): BackendId | undefined {
    return key === undefined ? undefined : this.#backends.get(key, nowMs);
  }

  remember(key: string | undefined, backend: BackendId, nowMs: number): void {
    if (key !== undefined) this.#backends.set(key, backend, nowMs);
  }

  /** Where the conversations that went somewhere last went, the most recent first. */
  newest(nowMs: number, max: number): SessionReading[] {
    return this.#backends.newest(nowMs, max).map(([key, backend, remainingMs]) => {
      const model = key.slice(0, key.indexOf('\n'));
      return { backend, model: model === '' ? undefined : model, remainingMs };
    });
  }

  prune(nowMs: number): void {
    this.#backends.prune(nowMs);
  }
}

/** A header can name the same session for several models, whose prompts are cached apart. Undefined = it belongs to none. */
export function sessionKeyOf(request: RequestFacts): string | undefined {
  return request.session === undefined ? undefined : `${request.model ?? ''}\n${request.session}`;
}

function toLimits(settings: SchedulerSettings): { ttlMs: number; sizeMax: number } {
  return { ttlMs: settings.sessionTtlMs, sizeMax: settings.sessionsMax };
}
