/** Has a model loaded without a request of a client: by one of our own that takes no slot and is over when it is granted. */
import { randomUUID } from 'node:crypto';
import type { LlameroError } from '../domain/errors.ts';
import type { ModelName } from '../domain/ids.ts';
import type { Rejection } from '../scheduler/effects.ts';
import type { Placer } from './placer.ts';

/** Resolves when the model takes requests somewhere; rejects with `explain` of why it cannot. */
export function loadByRequest(
  placer: Placer,
  model: ModelName,
  explain: (rejection: Rejection) => LlameroError,
): Promise<void> {
  const id = randomUUID();
  return new Promise((resolve, reject) => {
    placer.arrive(
      { id, model, flow: 'llamero', priority: 1, session: undefined, tokensEstimated: 0, slotless: true },
      {
        granted() {
          placer.finish(id, false);
          resolve();
        },
        rejected: (rejection) => reject(explain(rejection)),
      },
    );
  });
}
