/**
 * The Responses API goes on from its earlier answers: finds what a request refers to and keeps what it is answered, for
 * engines that keep nothing themselves. Decides whether a request is such a one; the store is somebody else's.
 */
import { lastMember } from '../../base/json-scan.ts';
import {
  continueConversation,
  keptResponse,
  wantsToBeKept,
} from '../../dialects/openai-responses/conversation.ts';
import type { JsonObject } from '../../dialects/ir/request.ts';
import { LlameroError } from '../../domain/errors.ts';
import type { FlowId } from '../../domain/ids.ts';
import type { Backend } from '../../engines/backend.ts';
import type { Responses } from '../../store/responses.ts';
import type { BodyFacts } from '../peek.ts';
import { parseObject } from './read-request.ts';

export interface Conversation {
  /** The client's request, with all that was said before in its input. */
  readonly request: JsonObject;
  /** To be told the whole answer, as the client gets it; undefined = it is not to be kept. */
  readonly keep: ((answer: JsonObject) => void) | undefined;
}

export interface ConversationSource {
  readonly responses: Responses;
  readonly flow: FlowId;
  readonly body: Buffer;
  readonly peeked: BodyFacts;
  /** Backends that serve the model. */
  readonly serving: readonly Backend[];
  /** None of them has the route itself. */
  readonly isForeign: boolean;
}

const referenceMark = Buffer.from('item_reference');

/**
 * undefined = the request stands alone and its answer is not to be kept, or all engines of its model keep answers.
 * @throws LlameroError request_malformed, response_not_found
 */
export function findConversation(source: ConversationSource): Conversation | undefined {
  const { responses, flow, body, peeked, serving } = source;
  const { object } = peeked;
  if (object === undefined || (!source.isForeign && serving.every(keepsAnswers))) return undefined;
  const isWanted = lastMember(object, 'store')?.kind !== 'false';
  const isKept = isWanted && responses.isKeeping;
  const goesOn =
    lastMember(object, 'previous_response_id')?.kind === 'string' || body.includes(referenceMark);
  // An answer that the router writes says whether it is kept.
  const isToldSo = isWanted && source.isForeign;
  if (!isKept && !goesOn && !isToldSo) return undefined;
  const asked = parseObject(body);
  const continued = continueConversation(asked, (id) => responses.get({ flow, id }));
  if ('error' in continued) {
    // An engine that keeps answers may know it.
    if (!source.isForeign && serving.some(keepsAnswers)) return undefined;
    const { message, param } = continued.error;
    throw new LlameroError('response_not_found', message, param === undefined ? {} : { param });
  }
  const { request } = continued;
  if (!isKept || !wantsToBeKept(asked)) return { request: { ...request, store: false }, keep: undefined };
  const keep = (answer: JsonObject): void => {
    responses.put({ flow, id: String(answer['id']) }, keptResponse(request, answer));
  };
  return { request, keep };
}

/** Whether the engine itself goes on from its answers. */
export function keepsAnswers({ kind }: Backend): boolean {
  return kind.habits.keepsAnswers;
}
