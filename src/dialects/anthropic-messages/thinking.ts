/** What the client wants of thoughts and of the form of the answer: `thinking`, `output_config`, `output_format`. */
import type { WriteTarget } from '../dialect.ts';
import {
  optionalNumber,
  optionalObject,
  optionalString,
  pathOf,
  requiredObject,
  requiredString,
} from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { JsonObject, ModelRequest, OutputFormat, ReasoningWish } from '../ir/request.ts';
import type { Unread } from '../ir/unread.ts';
import { noteUnread } from './unread.ts';

const thinkingMembers = new Set(['type', 'budget_tokens']);
const configMembers = new Set(['effort', 'format']);
const formatMembers = new Set(['type', 'schema']);

/** @throws RequestShapeError */
export function readReasoning(request: Place, unread: Unread): ReasoningWish | undefined {
  const config = optionalObject(request, 'output_config');
  const effort = config && optionalString(config, 'effort');
  if (config !== undefined) noteUnread(config, configMembers, unread);
  const thinking = optionalObject(request, 'thinking');
  if (thinking === undefined) return effort === undefined ? undefined : { effort };
  noteUnread(thinking, thinkingMembers, unread);
  return { ...readThinking(thinking, unread), ...(effort !== undefined && { effort }) };
}

/** @throws RequestShapeError */
export function readFormat(request: Place, unread: Unread): OutputFormat | undefined {
  const config = optionalObject(request, 'output_config');
  // `output_format` is the name of an older beta.
  const place = (config && optionalObject(config, 'format')) ?? optionalObject(request, 'output_format');
  if (place === undefined) return undefined;
  noteUnread(place, formatMembers, unread);
  if (requiredString(place, 'type') !== 'json_schema') {
    throw new RequestShapeError(pathOf(place, 'type'), 'must be "json_schema"');
  }
  return { kind: 'schema', schema: requiredObject(place, 'schema').fields };
}

/** The members `thinking` and `output_config`. */
export function writeThinking(request: ModelRequest, target: WriteTarget): JsonObject {
  const { reasoning = {} } = request;
  if (reasoning.summary !== undefined) target.onDropped('reasoning.summary');
  const thinking = thinkingOf(reasoning);
  const config = {
    ...(reasoning.effort !== undefined &&
      reasoning.effort !== 'none' && { effort: effortOf(reasoning.effort) }),
    ...writeFormat(request.format, target),
  };
  return {
    ...(thinking !== undefined && { thinking }),
    ...(Object.keys(config).length > 0 && { output_config: config }),
  };
}

function readThinking(place: Place, unread: Unread): ReasoningWish {
  const type = requiredString(place, 'type');
  switch (type) {
    case 'disabled':
      return { enabled: false };
    case 'enabled': {
      const budgetTokens = optionalNumber(place, 'budget_tokens');
      if (budgetTokens === undefined)
        throw new RequestShapeError(pathOf(place, 'budget_tokens'), 'is required');
      return { enabled: true, budgetTokens };
    }
    case 'adaptive':
      return { enabled: true };
    case 'between_tools':
      noteUnread({ fields: { [type]: true }, path: place.path }, new Set(), unread);
      return { enabled: true };
    default:
      throw new RequestShapeError(pathOf(place, 'type'), 'must be "enabled", "disabled" or "adaptive"');
  }
}

function thinkingOf({ enabled, budgetTokens, effort }: ReasoningWish): JsonObject | undefined {
  if (enabled === false || effort === 'none' || budgetTokens === 0) return { type: 'disabled' };
  if (budgetTokens !== undefined) return { type: 'enabled', budget_tokens: budgetTokens };
  return enabled === true ? { type: 'adaptive' } : undefined;
}

/** `low` is the least that the API knows. */
function effortOf(effort: string): string {
  return effort === 'minimal' ? 'low' : effort;
}

/** Names of schemas are labels and say nothing to the model. */
function writeFormat(format: OutputFormat | undefined, { onDropped }: WriteTarget): JsonObject {
  if (format?.kind === 'json') onDropped('format');
  if (format?.kind !== 'schema') return {};
  if (format.description !== undefined) onDropped('format.description');
  return { format: { type: 'json_schema', schema: format.schema } };
}
