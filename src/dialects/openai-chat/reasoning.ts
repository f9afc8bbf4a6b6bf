/** What a client of chat completions says about the model's thinking, in the many ways there are, both directions. */
import type { WriteTarget } from '../dialect.ts';
import {
  optionalBoolean,
  optionalNumber,
  optionalObject,
  optionalString,
  otherMembers,
  pathOf,
  present,
} from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { JsonObject, ReasoningWish } from '../ir/request.ts';

/** Names of the members that are read here. */
export const reasoningMembers: readonly string[] = [
  'reasoning_effort',
  // OpenRouter
  'reasoning',
  // Z.ai, DeepSeek, Moonshot
  'thinking',
  // llama.cpp, vLLM, SGLang
  'chat_template_kwargs',
  // DashScope
  'enable_thinking',
  // llama.cpp takes both.
  'thinking_budget_tokens',
  'reasoning_budget_tokens',
  // vLLM
  'thinking_token_budget',
  // DashScope
  'thinking_budget',
];

/** Names that templates have for the switch. */
const templateMembers: ReadonlySet<string> = new Set(['enable_thinking', 'thinking']);

/** undefined = the client said nothing about it. @throws RequestShapeError */
export function readReasoning(place: Place): ReasoningWish | undefined {
  const reasoning = optionalObject(place, 'reasoning');
  const thinking = optionalObject(place, 'thinking');
  const template = optionalObject(place, 'chat_template_kwargs');
  const effort =
    optionalString(place, 'reasoning_effort') ?? (reasoning && optionalString(reasoning, 'effort'));
  const enabled =
    switchIn(template, 'enable_thinking') ??
    switchIn(template, 'thinking') ??
    optionalBoolean(place, 'enable_thinking') ??
    (thinking && isThinking(thinking)) ??
    switchIn(reasoning, 'enabled') ??
    (effort === 'none' ? false : undefined);
  const wish: ReasoningWish = present({
    enabled,
    effort: effort === 'none' ? undefined : effort,
    budgetTokens:
      budgetIn(place) ??
      (thinking && optionalNumber(thinking, 'budget_tokens')) ??
      (reasoning && optionalNumber(reasoning, 'max_tokens')),
    summary: reasoning && optionalString(reasoning, 'summary'),
  });
  return Object.keys(wish).length === 0 ? undefined : wish;
}

/** Members of `chat_template_kwargs` that are not about thinking; nothing else than a template can read them. */
export function readTemplateRest(place: Place): JsonObject {
  const template = optionalObject(place, 'chat_template_kwargs');
  const rest = otherMembers(template?.fields ?? {}, templateMembers);
  return Object.keys(rest).length === 0 ? {} : { chat_template_kwargs: rest };
}

/** The counterpart of `readReasoning`. */
export function writeReasoning(
  wish: ReasoningWish | undefined,
  { habits, onDropped }: WriteTarget,
): JsonObject {
  if (wish === undefined) return {};
  const { enabled, effort, budgetTokens, summary } = wish;
  if (summary !== undefined) onDropped('reasoning.summary');
  const budget = budgetTokens === undefined ? {} : writeBudget(budgetTokens, { habits, onDropped });
  switch (habits.reasoningControl) {
    case 'template':
      return {
        ...(enabled !== undefined && { chat_template_kwargs: { enable_thinking: enabled } }),
        ...(effort !== undefined && { reasoning_effort: effort }),
        ...budget,
      };
    case 'effort': {
      const word = enabled === false ? 'none' : (effort ?? (enabled === true ? 'medium' : undefined));
      return { ...(word !== undefined && { reasoning_effort: word }), ...budget };
    }
    case 'none':
      if (enabled !== undefined || effort !== undefined) onDropped('reasoning');
      return budget;
  }
}

function writeBudget(tokens: number, { habits, onDropped }: WriteTarget): JsonObject {
  if (habits.reasoningBudgetMember !== undefined) return { [habits.reasoningBudgetMember]: tokens };
  onDropped('reasoning.budget_tokens');
  return {};
}

function switchIn(place: Place | undefined, key: string): boolean | undefined {
  return place && optionalBoolean(place, key);
}

function isThinking(place: Place): boolean | undefined {
  const type = optionalString(place, 'type');
  if (type === undefined) return undefined;
  if (type === 'enabled' || type === 'adaptive') return true;
  if (type === 'disabled') return false;
  throw new RequestShapeError(pathOf(place, 'type'), 'must be enabled, disabled or adaptive');
}

function budgetIn(place: Place): number | undefined {
  return (
    optionalNumber(place, 'thinking_budget_tokens') ??
    optionalNumber(place, 'reasoning_budget_tokens') ??
    optionalNumber(place, 'thinking_token_budget') ??
    optionalNumber(place, 'thinking_budget')
  );
}
