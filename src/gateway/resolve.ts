/** From bytes to what the scheduler may know: the model, the conversation, and who decides where it goes. */
import type { Config } from '../config/schema.ts';
import { fingerprintRecipe, looksAtPrompts } from '../config/settings.ts';
import { LlameroError } from '../domain/errors.ts';
import type { ModelName } from '../domain/ids.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import type { RouteName } from '../domain/routes.ts';
import type { JsonObject, ModelRequest } from '../dialects/ir/request.ts';
import type { Backend } from '../engines/backend.ts';
import type { Inbound } from './inbound.ts';
import { trySpeakerFor } from './ensemble/find-ensemble.ts';
import { isUp, type Fleet } from './fleet.ts';
import type { GatewayParts } from './gateway.ts';
import { headerValue } from './headers.ts';
import { refuseAccess } from './keys/model-access.ts';
import type { Meaning } from './name-resolver.ts';
import { findOllamaName } from './ollama/find-name.ts';
import { conversationFingerprint, peekBody, type BodyFacts } from './peek.ts';
import { refuseServicePath } from './service-paths.ts';
import { onlySeeing } from './sight.ts';
import { tryThreadError } from './message-threads.ts';
import { tryOwnAnswer, type OwnAnswer } from './own-answer.ts';
import { nomyoFingerprint } from './nomyo-fingerprint.ts';
import { createInTurnPlacer, type Placer } from './placer.ts';
import { slotNamingRoutes } from './name-slot.ts';
import { readPromptChain } from './prompt-chain.ts';
import { missingModel } from './rejection.ts';
import { estimateTokens } from './token-estimate.ts';
import { readCount } from './translation/count-translation.ts';
import { isDialectRoute } from './translation/dialect-routes.ts';
import { findConversation, type Conversation, type ConversationSource } from './translation/conversation.ts';
import { parseObject, readModelRequest } from './translation/read-request.ts';

/** Requests of clients that say nothing of priority. */
export const priorityDefault = 1;
/** Routes whose requests repeat the conversation so far. */
const conversing: ReadonlySet<RouteName> = new Set([
  'chat-completions',
  'messages',
  'responses',
  'ollama-chat',
]);
/** Longer session headers are hostile, not helpful. */
const sessionCharsMax = 256;

export interface Resolved {
  readonly facts: RequestFacts;
  readonly peeked: BodyFacts;
  /** What the name in the request stands for; undefined = it names none. */
  readonly meaning: Meaning | undefined;
  readonly placer: Placer;
  readonly stream: boolean;
  /** The body, read in the client's dialect, where no engine that serves the model has the route itself. */
  readonly asked: ModelRequest | undefined;
  /** What the request goes on from, and whether its answer is to be kept. */
  readonly conversation: Conversation | undefined;
  /** What the router answers without any engine. */
  readonly ownAnswer: OwnAnswer | undefined;
}

/** Of a request that is passed on as it is. */
const noReading = { asked: undefined, conversation: undefined, ownAnswer: undefined };

/** Returns an error where the request cannot be placed whatever the fleet does. @throws LlameroError where it is broken */
export function resolveRequest(parts: GatewayParts, inbound: Inbound, body: Buffer): Resolved | LlameroError {
  const { fleet } = parts;
  const { priorities } = parts.models();
  const { route } = inbound;
  const peeked = peekBody({
    body,
    contentType: headerValue(inbound.request.rawHeaders, 'content-type'),
    query: inbound.query,
  });
  if (peeked.contradiction !== undefined) {
    return new LlameroError('request_malformed', `The body says two things: ${peeked.contradiction}`);
  }
  const threadError = route.name === 'messages' ? tryThreadError(peeked) : undefined;
  if (threadError !== undefined) return threadError;
  const stream = peeked.stream ?? (route.streamsByDefault && peeked.kind === 'json');
  const denied = inbound.parent === undefined ? refuseAccess(parts, inbound, peeked) : undefined;
  if (denied !== undefined) return denied;
  const meaning = meaningOf(parts, inbound, peeked);
  if (meaning instanceof LlameroError) return meaning;
  const model = meaning?.model;
  const refusal =
    route.name === 'other' ? refuseServicePath(inbound.path, servingOther(fleet, model)) : undefined;
  if (refusal !== undefined) {
    meaning?.release();
    return refusal;
  }
  if (route.name === 'other' && (model === undefined || !fleet.names().has(model))) {
    meaning?.release();
    const backends = fleet.unnamed();
    if (backends.length === 0) return new LlameroError('not_found', `No route '${inbound.path}'`);
    const facts = toFacts({ priorities, inbound, body, peeked });
    const placer = createInTurnPlacer(backends.filter(isUp), parts.clock.nowMs());
    return { ...noReading, facts, peeked, meaning: undefined, placer, stream };
  }
  if (model === undefined && needsModel(parts, inbound)) {
    if (peeked.kind === 'unreadable') {
      return new LlameroError('request_malformed', 'Cannot read the body as JSON, so it names no model');
    }
    if (fleet.names().size > 0) return missingModel(fleet);
  }
  const reading = readRequest(parts, inbound, { model, body, peeked });
  const { asked, conversation, ownAnswer } = reading;
  const having = route.name === 'other' ? undefined : fleet.having(route.name, model !== undefined);
  if (ownAnswer === undefined && having !== undefined && !someServe(parts, having, model)) {
    meaning?.release();
    const what = model === undefined ? '' : ` that serves model '${model}'`;
    return new LlameroError('not_supported', `No backend${what} has the route ${inbound.path}`);
  }
  const only = onlySeeing(fleet, { route: route.name, meaning, body, asked, only: having });
  if (only instanceof LlameroError) {
    meaning?.release();
    return only;
  }
  const session = sessionOf({ config: parts.config(), inbound, peeked, body, model });
  const prompt = looksAtPrompts(parts.config()) ? readPromptChain(route.name, peeked, body) : undefined;
  const isTrimmed = isTrimmedEverywhere(parts, inbound, model);
  const facts = toFacts({ priorities, inbound, model, session, body, peeked, prompt, only, isTrimmed });
  const { dispatcher: placer } = parts;
  return { facts, peeked, meaning, placer, stream: asked?.stream ?? stream, asked, conversation, ownAnswer };
}

/**
 * What has to be known of the request where it does not pass as it is, by what is known of the engines at this moment.
 * @throws LlameroError where it is broken
 */
export function readRequest(
  parts: GatewayParts,
  inbound: Inbound,
  source: Pick<ConversationSource, 'body' | 'peeked'> & {
    readonly model: ModelName | undefined;
    /** It is for this one; absent = for any that serves the model. */
    readonly backend?: Backend | undefined;
  },
): Pick<Resolved, 'asked' | 'conversation' | 'ownAnswer'> {
  const { model, body, peeked } = source;
  const route = inbound.route.name;
  const isForeign =
    isForeignEverywhere(parts, inbound, model) ||
    (source.backend !== undefined && !parts.fleet.support.has(source.backend, route));
  const conversation =
    route === 'responses' || route === 'count-response-tokens'
      ? conversationOf(parts, inbound, { ...source, isForeign })
      : undefined;
  const asked =
    isForeign || conversation !== undefined
      ? readAsked(route, () => conversation?.request ?? parseObject(body), model)
      : undefined;
  const requested = peeked.model ?? model ?? '';
  const ownAnswer = isForeign ? tryOwnAnswer(parts, { route, body, asked, requested, model }) : undefined;
  return { asked, conversation, ownAnswer };
}

/** undefined = no dialect has the route. @throws LlameroError request_malformed */
function readAsked(
  route: RouteName,
  read: () => JsonObject,
  model: ModelName | undefined,
): ModelRequest | undefined {
  if (route === 'count-response-tokens') return readCount(read(), model);
  return isDialectRoute(route) ? readModelRequest(route, read(), model) : undefined;
}

/** undefined: the request names no model, and more than one could be meant. */
function meaningOf(
  parts: GatewayParts,
  inbound: Inbound,
  peeked: BodyFacts,
): Meaning | LlameroError | undefined {
  const { names, fleet } = parts;
  const name =
    inbound.modelInPath ?? peeked.model ?? (needsModel(parts, inbound) ? fleet.onlyModel() : undefined);
  if (name === undefined) return undefined;
  const isOllamas = inbound.route.dialect === 'ollama';
  const meant = trySpeakerFor(parts, name) ?? name;
  return names.lookUp((isOllamas ? findOllamaName(parts, meant) : undefined) ?? meant);
}

function conversationOf(
  { fleet, responses }: GatewayParts,
  { flow, modelInPath }: Inbound,
  asked: Pick<ConversationSource, 'body' | 'peeked' | 'isForeign'> & {
    readonly model: ModelName | undefined;
  },
): Conversation | undefined {
  const { model } = asked;
  if (modelInPath !== undefined || model === undefined) return undefined;
  return findConversation({ ...asked, responses, flow, serving: fleet.names().get(model) ?? [] });
}

/** No engine that serves the model has the route: the request is looked into before it waits for anything. */
function isForeignEverywhere(
  { fleet }: GatewayParts,
  { route, modelInPath }: Inbound,
  model: ModelName | undefined,
): boolean {
  if (modelInPath !== undefined || model === undefined) return false;
  const serving = fleet.names().get(model) ?? [];
  return serving.length > 0 && !serving.some((backend) => fleet.support.has(backend, route.name));
}

/** Whoever serves the model gets it shortened where it is too long, so its length is no reason to refuse it. */
function isTrimmedEverywhere(
  { fleet }: GatewayParts,
  { route, modelInPath }: Inbound,
  model: ModelName | undefined,
): boolean {
  if (modelInPath !== undefined || model === undefined || !isDialectRoute(route.name)) return false;
  const serving = fleet.names().get(model) ?? [];
  return serving.length > 0 && serving.every(({ config }) => config.repairs.trimContext);
}

/** A native route of engines goes to any backend; without one, it has to be said which model's. */
function needsModel({ fleet }: GatewayParts, { route }: Inbound): boolean {
  return (
    route.needsModel || (route.name !== 'other' && fleet.names().size > 0 && fleet.unnamed().length === 0)
  );
}

interface FactsSource extends Partial<
  Pick<RequestFacts, 'model' | 'session' | 'prompt' | 'only' | 'isTrimmed'>
> {
  readonly priorities: ReadonlyMap<ModelName, number>;
  readonly inbound: Inbound;
  readonly body: Buffer;
  readonly peeked: BodyFacts;
}

function toFacts(source: FactsSource): RequestFacts {
  const { priorities, inbound, model, session, body, peeked, prompt, only, isTrimmed = false } = source;
  return {
    id: inbound.id,
    model,
    flow: inbound.flow,
    priority:
      (inbound.key?.priority ?? priorityDefault) -
      ((model === undefined ? undefined : priorities.get(model)) ?? 0),
    session,
    tokensEstimated: estimateTokens(inbound.route.name, body, peeked.object?.longStrings),
    slotless: !inbound.route.takesSlot,
    prompt,
    namesSlot: slotNamingRoutes.has(inbound.route.name),
    only,
    isTrimmed,
    continues: inbound.parent !== undefined,
  };
}

function servingOther(fleet: Fleet, model: ModelName | undefined): readonly Backend[] {
  return (model === undefined ? undefined : fleet.names().get(model)) ?? fleet.unnamed();
}

/** A model that nobody knows is left to the scheduler: a backend that was never asked may have it. */
function someServe(parts: GatewayParts, only: ReadonlySet<string>, model: string | undefined): boolean {
  if (only.size === 0) return false;
  if (model === undefined) return true;
  const serving = parts.fleet.names().get(model);
  return serving === undefined || serving.some(({ id }) => only.has(id));
}

interface SessionSource {
  readonly config: Config;
  readonly inbound: Pick<Inbound, 'route' | 'flow'> & {
    readonly request: Pick<Inbound['request'], 'rawHeaders'>;
  };
  readonly peeked: BodyFacts;
  readonly body: Buffer;
  readonly model: string | undefined;
}

/** Clients cannot name each other's conversations: the key holds who is asking. */
export function sessionOf({ config, inbound, peeked, body, model }: SessionSource): string | undefined {
  const { session } = config.affinity;
  if (!session.enabled || !inbound.route.takesSlot) return undefined;
  const named = sessionHeader(inbound.request.rawHeaders, session.headers);
  if (named !== undefined) return `${inbound.flow}|${model ?? ''}|${named}`;
  const recipe = fingerprintRecipe(config);
  if (recipe === 'nomyo') return nomyoFingerprint(peeked, body, model ?? '');
  if (recipe === undefined || model === undefined || !conversing.has(inbound.route.name)) return undefined;
  const fingerprint = conversationFingerprint(peeked, body, model);
  return fingerprint === undefined ? undefined : `${inbound.flow}|${fingerprint}`;
}

function sessionHeader(headers: readonly string[], names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headerValue(headers, name.toLowerCase());
    if (value !== undefined && value !== '' && value.length <= sessionCharsMax) return value;
  }
  return undefined;
}
