/** Where conversations and prompts are believed to be at home, for whoever wants to see it. */
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { PromptCaches, PromptsReading } from './prompt-caches.ts';
import type { Sessions } from './sessions.ts';

/** One conversation that is remembered. */
export interface SessionReading {
  readonly backend: BackendId;
  readonly model: ModelName | undefined;
  readonly remainingMs: number;
}

export interface AffinityReading {
  readonly sessions: { readonly size: number; readonly newest: readonly SessionReading[] };
  readonly prompts: PromptsReading;
}

export interface AffinityParts {
  readonly sessions: Sessions;
  readonly prompts: PromptCaches;
}

/** A copy, with at most so many of the conversations that went somewhere last. */
export function readAffinity(
  { sessions, prompts }: AffinityParts,
  { nowMs, sessionsMax }: { readonly nowMs: number; readonly sessionsMax: number },
): AffinityReading {
  sessions.prune(nowMs);
  return {
    sessions: { size: sessions.size, newest: sessions.newest(nowMs, sessionsMax) },
    prompts: prompts.read(),
  };
}
