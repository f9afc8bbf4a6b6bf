/** From a client's request to what an engine without that route gets in its place, and the way back for its answer. */
import { parseExactJson } from '../../base/exact-json.ts';
import type { Clock } from '../../base/clock.ts';
import { LlameroError } from '../../domain/errors.ts';
import type { RouteName, TranslatableRoute } from '../../domain/routes.ts';
import type { AnswerContext, Dialect } from '../../dialects/dialect.ts';
import { dialects } from '../../dialects/index.ts';
import { isObject } from '../../dialects/ir/fields.ts';
import type { JsonObject, ModelRequest } from '../../dialects/ir/request.ts';
import { RequestShapeError } from '../../dialects/ir/request-shape-error.ts';
import type { Backend } from '../../engines/backend.ts';
import { AnswerTranslation } from './answer-translation.ts';
import { dialectRoutes, isDialectRoute, otherRoutes } from './dialect-routes.ts';
import type { RouteSupport } from './route-support.ts';

export interface Translatable {
  readonly backend: Backend;
  readonly route: TranslatableRoute;
  readonly body: Buffer;
  /** The client wants a stream. */
  readonly stream: boolean;
  /** The model as the client named it; undefined = it named none. */
  readonly requested: string | undefined;
  readonly requestId: string;
  readonly arrivedEpochMs: number;
  readonly clock: Clock;
  readonly support: RouteSupport;
}

export interface Translated {
  /** The engine's route. */
  readonly route: TranslatableRoute;
  readonly path: string;
  readonly body: Buffer;
  /** What the engine could not be told, by its name in the client's request. */
  readonly dropped: readonly string[];
  readonly answer: AnswerTranslation;
}

/** True where the request has to be translated for this engine. */
export function needsTranslation(backend: Backend, route: RouteName, support: RouteSupport): boolean {
  return isDialectRoute(route) && !support.has(backend, route);
}

/** @throws LlameroError request_malformed, not_supported */
export function translate(source: Translatable): Translated {
  const { backend, route, support } = source;
  const client = dialects[dialectRoutes[route].dialect];
  if (client === undefined) throw new LlameroError('not_supported', `No adapter for ${route}`);
  const asked = readRequest(client, source.body);
  // Only a stream tells such an engine that the client has left.
  const upstreamStreams = source.stream || backend.kind.cancelsOnDisconnect === 'streaming';
  const request: ModelRequest = { ...asked, stream: upstreamStreams };
  for (const other of otherRoutes[route]) {
    if (!support.has(backend, other)) continue;
    const { dialect, path } = dialectRoutes[other];
    const dropped = new Set<string>();
    const onDropped = (field: string): void => void dropped.add(field);
    const engine = dialects[dialect];
    const body = engine?.writeRequest(request, { habits: backend.kind.habits, onDropped });
    if (engine === undefined || body === undefined) continue;
    const context = contextOf(source, asked);
    const answer = new AnswerTranslation({
      client,
      engine,
      context,
      stream: source.stream,
    });
    return { route: other, path, body: Buffer.from(JSON.stringify(body)), dropped: [...dropped], answer };
  }
  const path = dialectRoutes[route].path;
  throw new LlameroError(
    'not_supported',
    `Backend '${backend.id}' has no route ${path}, and this request cannot be said by any route that it has`,
  );
}

function contextOf(source: Translatable, request: ModelRequest): AnswerContext {
  const { clock, requested, requestId, arrivedEpochMs } = source;
  return {
    request,
    model: requested ?? request.model,
    requestId,
    arrivedMs: arrivedEpochMs,
    nowMs: () => clock.epochMs(),
  };
}

function readRequest(client: Dialect, body: Buffer): ModelRequest {
  try {
    return client.readRequest(parseObject(body));
  } catch (thrown) {
    if (!(thrown instanceof RequestShapeError)) throw thrown;
    throw new LlameroError('request_malformed', thrown.message, { param: thrown.field });
  }
}

function parseObject(body: Buffer): JsonObject {
  let value: unknown;
  try {
    value = parseExactJson(body.toString());
  } catch (thrown) {
    throw new LlameroError('request_malformed', 'The body is not valid JSON', { cause: thrown });
  }
  if (!isObject(value)) throw new LlameroError('request_malformed', 'The body must be a JSON object');
  return value;
}
