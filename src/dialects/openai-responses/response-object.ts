/** The response object that answers and events hold: what the request said, the service's defaults, and how far it is. */
import type { AnswerContext } from '../dialect.ts';
import { isObject } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';

export interface ResponseState {
  readonly status: 'in_progress' | 'completed' | 'incomplete' | 'failed';
  readonly output: readonly object[];
  readonly usage?: JsonObject | undefined;
  readonly error?: JsonObject;
  readonly incompleteReason?: 'max_output_tokens' | 'content_filter';
}

export interface ResponseHead {
  readonly context: AnswerContext;
  /** Unix time in seconds. */
  readonly createdS: number;
}

export function responseIdOf(requestId: string): string {
  return `resp_${plainId(requestId)}`;
}

/** Ids of items begin alike, so that an item tells which response it is of. */
export function itemIdOf(prefix: 'msg' | 'rs' | 'fc' | 'ctc', requestId: string, index: number): string {
  return `${prefix}_${plainId(requestId)}${index.toString(16).padStart(indexDigits, '0')}`;
}

/** Id of the response that an item of `itemIdOf` is of; undefined = it is none. */
export function responseIdOfItem(itemId: string): string | undefined {
  const match = /^(?:msg|rs|fc|ctc)_([A-Za-z\d]+)[\da-f]{4}$/.exec(itemId);
  return match?.[1] === undefined ? undefined : `resp_${match[1]}`;
}

const indexDigits = 4;

function plainId(requestId: string): string {
  return requestId.replaceAll(/[^A-Za-z\d]/g, '') || '0';
}

export function responseObject({ context, createdS }: ResponseHead, state: ResponseState): JsonObject {
  const { request, model, requestId, nowMs } = context;
  const said = request.mirrored ?? {};
  const text = isObject(said['text']) ? said['text'] : {};
  const reasoning = isObject(said['reasoning']) ? said['reasoning'] : {};
  const isCompleted = state.status === 'completed';
  return {
    id: responseIdOf(requestId),
    object: 'response',
    created_at: createdS,
    status: state.status,
    background: false,
    completed_at: isCompleted ? Math.floor(nowMs() / 1000) : null,
    error: state.error ?? null,
    incomplete_details: state.incompleteReason === undefined ? null : { reason: state.incompleteReason },
    instructions: said['instructions'] ?? null,
    max_output_tokens: said['max_output_tokens'] ?? null,
    max_tool_calls: said['max_tool_calls'] ?? null,
    model,
    output: state.output,
    parallel_tool_calls: said['parallel_tool_calls'] ?? true,
    previous_response_id: said['previous_response_id'] ?? null,
    prompt_cache_key: said['prompt_cache_key'] ?? null,
    reasoning: {
      effort: reasoning['effort'] ?? null,
      summary: reasoning['summary'] ?? reasoning['generate_summary'] ?? null,
    },
    safety_identifier: said['safety_identifier'] ?? null,
    service_tier: 'default',
    store: said['store'] ?? true,
    temperature: said['temperature'] ?? 1,
    text: { format: text['format'] ?? { type: 'text' }, verbosity: text['verbosity'] ?? 'medium' },
    tool_choice: said['tool_choice'] ?? 'auto',
    tools: said['tools'] ?? [],
    top_logprobs: said['top_logprobs'] ?? 0,
    top_p: said['top_p'] ?? 1,
    truncation: said['truncation'] ?? 'disabled',
    usage: state.usage ?? null,
    user: said['user'] ?? null,
    metadata: said['metadata'] ?? {},
  };
}
