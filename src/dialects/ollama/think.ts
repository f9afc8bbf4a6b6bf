/** Ollama's `think`: whether a model is to think before it answers, and how much. */
import { pathOf } from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { ReasoningWish } from '../ir/request.ts';

const levels: ReadonlySet<unknown> = new Set(['low', 'medium', 'high', 'max']);

/** Efforts of other APIs that Ollama has no word for, as the nearest that it has. */
const nearest: Readonly<Record<string, string | false>> = { none: false, minimal: 'low', xhigh: 'high' };

/** @throws RequestShapeError */
export function readThink(place: Place): ReasoningWish | undefined {
  const value = place.fields['think'] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'boolean') return { enabled: value };
  if (typeof value === 'string' && levels.has(value)) return { enabled: true, effort: value };
  throw new RequestShapeError(
    pathOf(place, 'think'),
    'must be true, false, "low", "medium", "high" or "max"',
  );
}

export function writeThink(
  wish: ReasoningWish | undefined,
  onDropped: (field: string) => void,
): boolean | string | undefined {
  if (wish === undefined) return undefined;
  const { enabled, effort, budgetTokens, summary } = wish;
  if (budgetTokens !== undefined) onDropped('reasoning.budgetTokens');
  if (summary !== undefined) onDropped('reasoning.summary');
  if (enabled === false) return false;
  if (effort !== undefined) {
    const level = levels.has(effort) ? effort : nearest[effort];
    if (level !== undefined) return level;
    onDropped('reasoning.effort');
  }
  // A budget alone is a wish to think.
  return enabled ?? (budgetTokens === undefined ? undefined : true);
}
