/** Habits of engines for tests of dialects, and a target that notes what was dropped. */
import type { WriteTarget } from '../../src/dialects/dialect.ts';
import type { EngineHabits } from '../../src/domain/engine-habits.ts';

/** An engine that takes everything as it is. */
export const fullHabits: EngineHabits = {
  unknownMembers: 'ignored',
  takesMoreSamplers: true,
  repeatPenaltyName: 'repeat_penalty',
  reasoningControl: 'template',
  reasoningBudgetMember: 'thinking_budget_tokens',
  reasoningMember: 'reasoning_content',
  takesDeveloperRole: true,
  takesToolChoice: true,
  takesImageUrls: true,
  streamsTellUsage: false,
  tellsProgress: false,
  wantsMaxCompletionTokens: false,
};

/** An engine that fills the model's own chat template. */
export const templateHabits: EngineHabits = { ...fullHabits, takesDeveloperRole: false };

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
