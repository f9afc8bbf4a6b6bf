/** Habits of engines for tests of dialects, and a target that notes what was dropped. */
import type { WriteTarget } from '../../src/dialects/dialect.ts';
import type { EngineHabits } from '../../src/domain/engine-habits.ts';
import { llamacpp } from '../../src/engines/kinds/llamacpp.ts';

/** An engine that fills the model's own chat template. */
export const templateHabits: EngineHabits = llamacpp.habits;

/** An engine that takes everything as it is. */
export const fullHabits: EngineHabits = { ...llamacpp.habits, takesDeveloperRole: true };

export interface NotingTarget extends WriteTarget {
  readonly dropped: readonly string[];
}

/** Each dropped field once, in order. */
export function notingTarget(habits: EngineHabits = fullHabits): NotingTarget {
  const dropped: string[] = [];
  return {
    habits,
    dropped,
    onDropped: (field) => {
      if (!dropped.includes(field)) dropped.push(field);
    },
  };
}
