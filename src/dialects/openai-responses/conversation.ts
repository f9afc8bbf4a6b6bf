/**
 * Goes on from a response that is kept: puts its items before those of the new request, so that an engine without memory
 * sees the whole conversation. Pure: who keeps responses hands them in. Instructions are not inherited.
 */
import type { EngineError } from '../ir/answer.ts';
import { isObject, objectsOf, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import { itemMissing } from './items.ts';
import { responseIdOfItem } from './response-object.ts';

/** What is kept of a response. */
export interface KeptResponse {
  /** All items that the model was given: those of earlier responses, too. */
  readonly input: readonly JsonObject[];
  /** The response as its client got it. */
  readonly response: JsonObject;
}

/** The response with this id, if the caller may see it. */
export type FindResponse = (id: string) => KeptResponse | undefined;

/** The request to go on with, or the error that its client gets instead. */
export type Continued = { readonly request: JsonObject } | { readonly error: EngineError };

/** False where the client does not want its answer kept. */
export function wantsToBeKept(request: JsonObject): boolean {
  return request['store'] !== false;
}

/** What is to be kept of an answer. `request`: as `continueConversation` gave it. */
export function keptResponse(request: JsonObject, response: JsonObject): KeptResponse {
  const responseId = textOf(response['id']);
  const input = inputItems(request['input']) ?? [];
  return { input: input.map((item, index) => withId(item, responseId, index)), response };
}

/**
 * The request with the whole input and without references to items; the same object where it has neither. Its
 * `previous_response_id` stays, for the answer tells it: who sends the request on to an engine as it is takes it out.
 */
export function continueConversation(request: JsonObject, find: FindResponse): Continued {
  const previousId = request['previous_response_id'];
  const input = inputItems(request['input']);
  // What is of the wrong type is refused by the reader of requests, in its own words.
  if (input === undefined) return { request };
  let earlier: readonly JsonObject[] = [];
  if (typeof previousId === 'string') {
    const previous = find(previousId);
    if (previous === undefined) return { error: previousMissing(previousId) };
    earlier = itemsOf(previous);
  } else if (!input.some(isReference)) return { request };
  const items: JsonObject[] = [...earlier];
  for (const item of input) {
    const found = isReference(item) ? findItem(textOf(item['id']), earlier, find) : item;
    if (found === undefined) return { error: itemError(textOf(item['id'])) };
    items.push(found);
  }
  return { request: { ...request, input: items } };
}

function inputItems(input: unknown): readonly JsonObject[] | undefined {
  if (typeof input === 'string') return [{ role: 'user', content: input }];
  return Array.isArray(input) && input.every(isObject) ? input : undefined;
}

function itemsOf({ input, response }: KeptResponse): readonly JsonObject[] {
  return [...input, ...objectsOf(response['output'])];
}

function isReference(item: JsonObject): boolean {
  const type = item['type'] ?? undefined;
  return (
    type === 'item_reference' ||
    (type === undefined && item['role'] === undefined && typeof item['id'] === 'string')
  );
}

function findItem(id: string, earlier: readonly JsonObject[], find: FindResponse): JsonObject | undefined {
  const isIt = (item: JsonObject): boolean => item['id'] === id;
  const known = earlier.find(isIt);
  if (known !== undefined) return known;
  const responseId = responseIdOfItem(id);
  const kept = responseId === undefined ? undefined : find(responseId);
  return kept && objectsOf(kept.response['output']).find(isIt);
}

function previousMissing(id: string): EngineError {
  return {
    message: `Previous response with id '${id}' not found.`,
    status: 400,
    type: 'invalid_request_error',
    param: 'previous_response_id',
    code: 'previous_response_not_found',
  };
}

function itemError(id: string): EngineError {
  return { message: itemMissing(id), status: 404, type: 'invalid_request_error', param: 'input' };
}

const prefixes: ReadonlyMap<string, string> = new Map([
  ['message', 'msg'],
  ['reasoning', 'rs'],
  ['function_call', 'fc'],
  ['function_call_output', 'fc'],
  ['custom_tool_call', 'ctc'],
  ['custom_tool_call_output', 'ctc'],
]);

/** The item in its full form, as it is listed; its id tells it from the items of the output. */
function withId(item: JsonObject, responseId: string, index: number): JsonObject {
  const type = textOf(item['type']) || 'message';
  const own = textOf(item['id']);
  const made = `${prefixes.get(type) ?? 'item'}_${responseId.replace(/^resp_/, '')}i${index.toString(16).padStart(4, '0')}`;
  const full = { ...item, id: own === '' ? made : own, type };
  if (type !== 'message') return full;
  const { content } = item;
  const textType = item['role'] === 'assistant' ? 'output_text' : 'input_text';
  return {
    ...full,
    status: item['status'] ?? 'completed',
    content: typeof content === 'string' ? [{ type: textType, text: content }] : content,
  };
}
