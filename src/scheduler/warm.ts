/** Whether a model would have to be loaded first. */
import type { Candidate } from './policy.ts';

/** True when the model is in memory there, or runs there already though no probe has listed it yet. */
export function isWarm(candidate: Candidate): boolean {
  return (
    candidate.model === undefined ||
    candidate.inFlightOfModel > 0 ||
    candidate.view.loaded.has(candidate.model)
  );
}
