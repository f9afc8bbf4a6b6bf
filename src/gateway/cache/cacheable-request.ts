/** Whether the answer to a request could be given again at all, and what it would be known by. Pure. */
import type { AnswerContext, Dialect } from '../../dialects/dialect.ts';
import { dialects } from '../../dialects/index.ts';
import type { ModelRequest } from '../../dialects/ir/request.ts';
import { intentOf } from '../../dialects/ollama/request.ts';
import type { RouteName } from '../../domain/routes.ts';
import { cacheKey, type CacheQuestion } from '../../store/cache/cache-key.ts';
import type { CacheRefusal } from '../../store/cache/cache-use.ts';
import type { RequestRecord } from '../../store/request-record.ts';
import type { GatewayParts } from '../gateway.ts';
import { headerValue } from '../headers.ts';
import type { Inbound } from '../inbound.ts';
import type { Resolved } from '../resolve.ts';
import { dialectRoutes, isDialectRoute } from '../translation/dialect-routes.ts';
import { tryParseObject, tryReadModelRequest } from '../translation/read-request.ts';
import { contextOf } from '../translation/translate.ts';

export interface CacheableSource {
  readonly parts: Pick<GatewayParts, 'config' | 'clock'>;
  readonly inbound: Inbound;
  readonly record: RequestRecord;
  readonly resolved: Resolved;
  /** As an engine is to get it. */
  readonly body: Buffer;
}

export interface CacheableRequest {
  readonly key: string;
  readonly question: CacheQuestion;
  /** undefined = the route has no streams and no dialect. */
  readonly speech: Speech | undefined;
}

/** How the request is said. */
export interface Speech {
  readonly dialect: Dialect;
  readonly context: AnswerContext;
}

/** Answers are functions of the request there, too. */
const computed: ReadonlySet<RouteName> = new Set([
  'embeddings',
  'ollama-embed',
  'ollama-embeddings',
  'rerank',
]);

export function toCacheable(source: CacheableSource): CacheableRequest | CacheRefusal {
  const { inbound, parts, record, resolved, body } = source;
  const { facts, conversation, ownAnswer, peeked } = resolved;
  const { models, share } = parts.config().cache;
  if (facts.model === undefined || (models !== undefined && !models.includes(facts.model))) return 'model';
  if (inbound.modelInPath !== undefined || ownAnswer !== undefined || peeked.kind !== 'json') return 'route';
  if (conversation !== undefined) return 'stateful';
  const speech = speechOf(source);
  if (typeof speech === 'string') return speech;
  const asked = tryParseObject(body);
  if (asked === undefined) return 'unreadable';
  const question: CacheQuestion = {
    sharers: share === 'all' ? '' : inbound.flow,
    route: inbound.route.name,
    model: facts.model,
    requested: record.requested ?? '',
    circumstances: [inbound.query, headerValue(inbound.request.rawHeaders, 'anthropic-beta') ?? ''],
    body: asked,
  };
  return { key: cacheKey(question), question, speech };
}

function speechOf({
  inbound,
  parts,
  record,
  resolved,
  body,
}: CacheableSource): Speech | CacheRefusal | undefined {
  const route = inbound.route.name;
  if (!isDialectRoute(route)) return computed.has(route) ? undefined : 'route';
  const request: ModelRequest | undefined = resolved.asked ?? tryReadModelRequest(route, body);
  if (request === undefined) return 'unreadable';
  if (intentOf(request) !== 'generate') return 'route';
  if ((request.sampling.choices ?? 1) > 1) return 'several';
  const { id: requestId, requested: said, startedEpochMs: arrivedEpochMs } = record;
  const context = contextOf({ clock: parts.clock, said, requestId, arrivedEpochMs }, request);
  return { dialect: dialects[dialectRoutes[route].dialect], context };
}
