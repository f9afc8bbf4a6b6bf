/** Says where a request would go if it came now, and why, without sending it. Takes no turn and no slot. */
import { LlameroError } from '../domain/errors.ts';
import type { ModelName } from '../domain/ids.ts';
import type { CandidateTrace } from '../scheduler/decision.ts';
import type { GatewayParts } from './gateway.ts';
import { peekBody } from './peek.ts';
import { readPromptChain } from './prompt-chain.ts';
import { priorityDefault, sessionOf } from './resolve.ts';
import { matchRoute } from './routes.ts';

export interface AskedPlacement {
  /** Where the request would be sent to: `/v1/chat/completions` … */
  readonly path: string;
  readonly body: Buffer;
  /** As they would be sent, names and values alternating. */
  readonly rawHeaders: readonly string[];
  /** Who would send it: name of the key, else the address. */
  readonly flow: string;
}

export interface ExplainedPlacement {
  readonly model: ModelName | undefined;
  /** Its conversation is recognised. */
  readonly hasSession: boolean;
  /** Undefined = there is none, or it is too short to be worth finding again. */
  readonly prompt: { readonly bytes: number; readonly blocks: number } | undefined;
  /** The best first, then those that are left out. */
  readonly candidates: readonly CandidateTrace[];
}

/** @throws LlameroError where the body names nothing that could be placed */
export function explainPlacement(
  { config, names, dispatcher }: Pick<GatewayParts, 'config' | 'names' | 'dispatcher'>,
  { path, body, rawHeaders, flow }: AskedPlacement,
): ExplainedPlacement {
  const route = matchRoute('POST', path);
  const peeked = peekBody({ body, contentType: undefined, query: '' });
  if (peeked.kind !== 'json') throw new LlameroError('request_malformed', 'The body is not a JSON object');
  const model = modelOf(names, peeked.model);
  const inbound = { route, flow, request: { rawHeaders } };
  const session = sessionOf({ config: config(), inbound, peeked, body, model });
  const prompt = readPromptChain(route.name, peeked, body);
  const candidates = dispatcher.explain({
    id: '',
    model,
    flow,
    priority: priorityDefault,
    session,
    tokensEstimated: 0,
    slotless: !route.takesSlot,
    ...(prompt !== undefined && { prompt }),
  });
  return {
    model,
    hasSession: session !== undefined,
    prompt: prompt && { bytes: prompt.bytes, blocks: prompt.ends.length },
    candidates,
  };
}

/** A selector would have to choose first, which is a turn. */
function modelOf(names: GatewayParts['names'], name: string | undefined): ModelName | undefined {
  const pinned = name === undefined ? undefined : names.unpin(name);
  if (pinned === undefined) return undefined;
  if (pinned instanceof LlameroError) throw pinned;
  const found = names.find(pinned);
  if (found?.kind === 'selector') {
    throw new LlameroError('request_malformed', `'${pinned}' is a selector: name one of its models`, {
      param: 'model',
    });
  }
  return found?.kind === 'model' ? found.model : pinned;
}
