/** Where a request meets the ensembles: whether it is for one, and what it asks. Changes nothing for all others. */
import { intentOf } from '../../dialects/ollama/request.ts';
import { LlameroError } from '../../domain/errors.ts';
import type { GatewayParts } from '../gateway.ts';
import { headerValue } from '../headers.ts';
import type { Inbound } from '../inbound.ts';
import { refuseAccess } from '../keys/model-access.ts';
import { peekBody } from '../peek.ts';
import { findConversation } from '../translation/conversation.ts';
import { isDialectRoute } from '../translation/dialect-routes.ts';
import { parseObject, readModelRequest } from '../translation/read-request.ts';
import { planAnswers } from './ensemble-plan.ts';
import type { EnsembleHost } from './ensemble-host.ts';
import { EnsembleRun } from './ensemble-run.ts';
import { findEnsemble } from './find-ensemble.ts';
import { lastQuestion, toConversation } from './inner-requests.ts';

export interface EnsembleRequest {
  readonly parts: GatewayParts;
  readonly inbound: Inbound;
  readonly host: EnsembleHost;
  readonly body: Buffer;
}

/** Says that an ensemble answers, so that the usage is a sum; the value is the number of answers that it asks for. */
const ensembleHeader = 'x-llamero-ensemble';

/**
 * The ensemble that the request is for, ready to be started; undefined = an engine is to answer. An error: it may not be
 * used, or not for this. @throws LlameroError request_malformed
 */
export function tryBeginEnsemble({
  parts,
  inbound,
  host,
  body,
}: EnsembleRequest): EnsembleRun | LlameroError | undefined {
  const { modelInPath, parent, flow, request, query } = inbound;
  const route = inbound.route.name;
  if (modelInPath !== undefined || parent !== undefined || !isDialectRoute(route)) return undefined;
  const contentType = headerValue(request.rawHeaders, 'content-type');
  const peeked = peekBody({ body, contentType, query });
  const name = peeked.model;
  const config = name === undefined ? undefined : findEnsemble(parts, name);
  if (name === undefined || config === undefined) return undefined;
  host.record.requested = name;
  const denied = refuseAccess(parts, inbound, peeked);
  if (denied !== undefined) return denied;
  const { responses } = parts;
  const conversation =
    route === 'responses'
      ? findConversation({ responses, flow, body, peeked, serving: [], isForeign: true })
      : undefined;
  const parsed = conversation?.request ?? parseObject(body);
  const asked = readModelRequest(route, parsed, name);
  const conversed = toConversation(asked);
  if (conversed === undefined) {
    const message = `'${name}' is an ensemble: it answers one prompt with a chat template around it, nothing else`;
    return new LlameroError('request_malformed', message, { param: 'prompt' });
  }
  const question = lastQuestion(conversed);
  if (question === undefined && intentOf(asked) === 'generate') {
    return new LlameroError('request_malformed', 'An ensemble needs a message of a user', {
      param: 'messages',
    });
  }
  host.record.ensemble = name;
  host.record.stream = asked.stream;
  inbound.response.setHeader(ensembleHeader, String(planAnswers(config).length));
  return new EnsembleRun({
    parts,
    inbound,
    host,
    config,
    route,
    body: parsed,
    asked,
    request: conversed,
    question,
    conversation,
  });
}
