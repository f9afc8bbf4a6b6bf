/** Who is asked for what in an ensemble. Pure: sends nothing. */
import type { EnsembleConfig } from '../../config/schema-ensembles.ts';
import type { ModelName } from '../../domain/ids.ts';

const answersUsual = 3;

export interface PlannedCritique {
  /** Index among the answers that came. */
  readonly answer: number;
  readonly critic: ModelName;
}

/** The model of each answer. */
export function planAnswers({ models, answers }: EnsembleConfig): readonly ModelName[] {
  const count = answers ?? Math.max(answersUsual, models.length);
  return Array.from({ length: count }, (_, index) => inTurn(models, index));
}

/** `authors`: the model of each answer that came. */
export function planCritiques(
  { models, critiques, critic }: EnsembleConfig,
  authors: readonly ModelName[],
): readonly PlannedCritique[] {
  if (authors.length === 0) return [];
  return Array.from({ length: critiques ?? authors.length }, (_, index) => {
    const answer = index % authors.length;
    const round = Math.floor(index / authors.length);
    const next = models.indexOf(inTurn(authors, answer)) + 1 + round;
    return { answer, critic: critic ?? inTurn(models, next) };
  });
}

/** The model of the final answer. */
export function finalModel({ models, final }: EnsembleConfig): ModelName {
  return final ?? inTurn(models, 0);
}

/** Names are never none: the schema sees to that. */
function inTurn(names: readonly ModelName[], index: number): ModelName {
  return names[index % names.length] ?? '';
}
