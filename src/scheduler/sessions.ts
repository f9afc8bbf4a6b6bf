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

  backendOf(request: RequestFacts, nowMs: number): BackendId | undefined {
    const key = keyOf(request);
    return key === undefined ? undefined : this.#backends.get(key, nowMs);
  }

  remember(request: RequestFacts, backend: BackendId, nowMs: number): void {
    const key = keyOf(request);
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

function toLimits(settings: SchedulerSettings): { ttlMs: number; sizeMax: number } {
  return { ttlMs: settings.sessionTtlMs, sizeMax: settings.sessionsMax };
}

/** A header can name the same session for several models, whose prompts are cached apart. */
function keyOf(request: RequestFacts): string | undefined {
  return request.session === undefined ? undefined : `${request.model ?? ''}\n${request.session}`;
}
