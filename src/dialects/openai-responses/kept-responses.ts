/** Answers of the routes that read and remove kept responses. Pure; who keeps them is not its business. */
import type { EngineError } from '../ir/answer.ts';
import { textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import type { KeptResponse } from './conversation.ts';

/** For `GET` and `DELETE` of an id that is not kept, or not for this caller. */
export function responseMissing(id: string): EngineError {
  return { message: `Response with id '${id}' not found.`, status: 404, type: 'invalid_request_error' };
}

/** For what is done with responses that are made in the background: `wish` names it. No kept response was. */
export function notInBackground(id: string, wish: 'cancelled' | 'streamed'): EngineError {
  const message = `Response with id '${id}' cannot be ${wish}: it was not made in the background.`;
  return { message, status: 400, type: 'invalid_request_error' };
}

/** Answer of `DELETE /v1/responses/{id}`. */
export function deletedResponse(id: string): JsonObject {
  return { id, object: 'response', deleted: true };
}

const limitDefault = 20;
const limitMax = 100;

export type InputItemsPage = { readonly list: JsonObject } | { readonly error: EngineError };

/**
 * Answer of `GET /v1/responses/{id}/input_items`. `query`: `order` (`desc` by default: the newest first), `limit` (20 by
 * default, up to 100) and `after`, the id of the last item of the page before; a member that makes no sense is an error.
 */
export function listInputItems({ input }: KeptResponse, query: URLSearchParams): InputItemsPage {
  const order = query.get('order') ?? 'desc';
  if (order !== 'asc' && order !== 'desc') return badMember('order', 'must be asc or desc');
  const limit = Number(query.get('limit') ?? limitDefault);
  if (!Number.isInteger(limit) || limit < 1 || limit > limitMax) {
    return badMember('limit', `must be a whole number from 1 to ${limitMax}`);
  }
  const items = order === 'asc' ? input : input.toReversed();
  const after = query.get('after');
  const last = after === null ? -1 : items.findIndex(({ id }) => id === after);
  if (after !== null && last === -1) return badMember('after', 'is no item of this response');
  const data = items.slice(last + 1, last + 1 + limit);
  const list = {
    object: 'list',
    data,
    first_id: textOf(data[0]?.['id']) || null,
    last_id: textOf(data.at(-1)?.['id']) || null,
    has_more: last + 1 + limit < items.length,
  };
  return { list };
}

function badMember(param: string, words: string): InputItemsPage {
  return { error: { message: `${param}: ${words}`, status: 400, type: 'invalid_request_error', param } };
}
