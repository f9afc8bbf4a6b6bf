/** From bytes to what the scheduler may know: the model, the conversation, and who decides where it goes. */
import type { Config } from '../config/schema.ts';
import { LlameroError } from '../domain/errors.ts';
import type { ModelName } from '../domain/ids.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import type { RouteName } from '../domain/routes.ts';
import type { Inbound } from './exchange.ts';
import { isUp } from './fleet.ts';
import type { GatewayParts } from './gateway.ts';
import { headerValue } from './headers.ts';
import type { Meaning } from './name-resolver.ts';
import { conversationFingerprint, peekBody, type BodyFacts } from './peek.ts';
import { createInTurnPlacer, type Placer } from './placer.ts';
import { missingModel } from './rejection.ts';
import { estimateTokens } from './token-estimate.ts';

/** Requests of clients that say nothing of priority. */
const priorityDefault = 1;
/** Routes whose requests repeat the conversation so far. */
const conversing: ReadonlySet<RouteName> = new Set(['chat-completions', 'messages', 'responses']);
/** Longer session headers are hostile, not helpful. */
const sessionCharsMax = 256;

export interface Resolved {
  readonly facts: RequestFacts;
  readonly peeked: BodyFacts;
  /** What the name in the request stands for; undefined = it names none. */
  readonly meaning: Meaning | undefined;
  readonly placer: Placer;
  readonly stream: boolean;
}

/** Returns an error where the request cannot be placed whatever the fleet does. */
export function resolveRequest(parts: GatewayParts, inbound: Inbound, body: Buffer): Resolved | LlameroError {
  const { fleet } = parts;
  const { priorities } = parts.models();
  const { route } = inbound;
  const peeked = peekBody({
    body,
    contentType: headerValue(inbound.request.rawHeaders, 'content-type'),
    query: inbound.query,
  });
  const stream = peeked.stream ?? (route.streamsByDefault && peeked.kind === 'json');
  const meaning = meaningOf(parts, inbound, peeked);
  if (meaning instanceof LlameroError) return meaning;
  const model = meaning?.model;
  if (route.name === 'other' && (model === undefined || !fleet.names().has(model))) {
    meaning?.release();
    const backends = fleet.unnamed();
    if (backends.length === 0) return new LlameroError('not_found', `No route '${inbound.path}'`);
    const facts = toFacts({ priorities, inbound, model: undefined, session: undefined, body, peeked });
    const placer = createInTurnPlacer(backends.filter(isUp), parts.clock.nowMs());
    return { facts, peeked, meaning: undefined, placer, stream };
  }
  if (model === undefined && needsModel(parts, inbound)) {
    if (peeked.kind === 'unreadable') {
      return new LlameroError('request_malformed', 'Cannot read the body as JSON, so it names no model');
    }
    if (fleet.names().size > 0) return missingModel(fleet);
  }
  const only = route.name === 'other' ? undefined : fleet.having(route.name, model !== undefined);
  if (only !== undefined && !someServe(parts, only, model)) {
    meaning?.release();
    const what = model === undefined ? '' : ` that serves model '${model}'`;
    return new LlameroError('not_supported', `No backend${what} has the route ${inbound.path}`);
  }
  const session = sessionOf({ config: parts.config(), inbound, peeked, body, model });
  const facts = toFacts({ priorities, inbound, model, session, body, peeked });
  const placed = only === undefined ? facts : { ...facts, only };
  return { facts: placed, peeked, meaning, placer: parts.dispatcher, stream };
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
  return name === undefined ? undefined : names.lookUp(name);
}

/** A native route of engines goes to any backend; without one, it has to be said which model's. */
function needsModel({ fleet }: GatewayParts, { route }: Inbound): boolean {
  return (
    route.needsModel || (route.name !== 'other' && fleet.names().size > 0 && fleet.unnamed().length === 0)
  );
}

interface FactsSource {
  readonly priorities: ReadonlyMap<ModelName, number>;
  readonly inbound: Inbound;
  readonly model: string | undefined;
  readonly session: string | undefined;
  readonly body: Buffer;
  readonly peeked: BodyFacts;
}

function toFacts({ priorities, inbound, model, session, body, peeked }: FactsSource): RequestFacts {
  return {
    id: inbound.id,
    model,
    flow: inbound.flow,
    priority: priorityDefault - ((model === undefined ? undefined : priorities.get(model)) ?? 0),
    session,
    tokensEstimated: estimateTokens(inbound.route.name, body, peeked.object?.longStrings),
    slotless: !inbound.route.takesSlot,
  };
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
  readonly inbound: Inbound;
  readonly peeked: BodyFacts;
  readonly body: Buffer;
  readonly model: string | undefined;
}

/** Clients cannot name each other's conversations: the key holds who is asking. */
function sessionOf({ config, inbound, peeked, body, model }: SessionSource): string | undefined {
  const { session } = config.affinity;
  if (!session.enabled || !inbound.route.takesSlot) return undefined;
  const named = sessionHeader(inbound.request.rawHeaders, session.headers);
  if (named !== undefined) return `${inbound.flow}|${model ?? ''}|${named}`;
  if (!session.fingerprint || model === undefined || !conversing.has(inbound.route.name)) return undefined;
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
