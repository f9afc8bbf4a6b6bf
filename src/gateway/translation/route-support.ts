/**
 * Which engines turned out to lack a route that engines of their kind usually have (an older version, a service with
 * part of an API). Learnt from their answers and forgotten when the engine is another one than before.
 */
import type { RouteName } from '../../domain/routes.ts';
import type { Backend } from '../../engines/backend.ts';
import type { Inbound } from '../inbound.ts';
import type { Outgoing } from '../outgoing.ts';
import { isCountRoute, routesFor } from './dialect-routes.ts';

interface Lack {
  readonly version: string | undefined;
  readonly epoch: number;
  readonly routes: Set<RouteName>;
}

export class RouteSupport {
  readonly #lacks = new WeakMap<Backend, Lack>();

  /** Whether the engine answers the route itself, as far as is known and wanted. */
  has(backend: Backend, route: RouteName): boolean {
    const { kind, config } = backend;
    if (!kind.routes.has(route) || this.#lacking(backend).has(route)) return false;
    return !(config.translate ?? kind.routesTranslated).some((translated) => translated === route);
  }

  /**
   * The engine said that it does not know the route `tried`, by which it was asked for one of `route`. True: there is
   * another way to get an answer. An engine without any of the routes is not what it seems (a proxy whose engine is
   * gone), so nothing that was learnt of it counts.
   */
  lacks(
    backend: Backend,
    { tried, route }: { readonly tried: RouteName; readonly route: RouteName },
  ): boolean {
    this.#lacking(backend).add(tried);
    if (isCountRoute(route) || routesFor(route).some((other) => this.has(backend, other))) return true;
    this.#lacks.delete(backend);
    return false;
  }

  #lacking(backend: Backend): Set<RouteName> {
    const { version, view } = backend;
    const known = this.#lacks.get(backend);
    if (known?.version === version && known?.epoch === view.epoch) return known.routes;
    const lack: Lack = { version, epoch: view.epoch, routes: new Set() };
    this.#lacks.set(backend, lack);
    return lack.routes;
  }
}

/** Engines of kinds that have these may be without them. All have had chat completions from the start. */
const oftenMissing: ReadonlySet<RouteName> = new Set([
  'responses',
  'messages',
  'count-tokens',
  'count-response-tokens',
]);

/** Whether it was asked by a route that such an engine may lack. Chat completions that came as such are not doubted. */
export function mayBePutDifferently(
  { route, modelInPath }: Pick<Inbound, 'route' | 'modelInPath'>,
  outgoing: Pick<Outgoing, 'route'> | undefined,
): boolean {
  const tried = outgoing?.route ?? route.name;
  return modelInPath === undefined && (tried !== route.name || oftenMissing.has(tried));
}

/** Shorter than any answer with a text. */
const sentenceBytesMax = 150;

/** Heads by which servers say that they do not know a path. `bytes`: length of the body, where the head tells it. */
export function mayLackRoute(status: number, bytes: number | undefined): boolean {
  if (status === 200) return bytes !== undefined && bytes < sentenceBytesMax;
  return status === 404 || status === 405 || status === 501;
}

/**
 * Whether such an answer to a request by the route `tried` is about the path: the same status for a missing model names it.
 * Whoever does not support counting lacks it, whatever the reason.
 */
export function lacksRoute(status: number, body: string, tried: RouteName): boolean {
  // LM Studio: `{"error":"Unexpected endpoint or method. (POST /v1/messages)"}`.
  if (status === 200) return /^\s*\{\s*"error"\s*:\s*"Unexpected endpoint/.test(body);
  // llama.cpp: `{"error":{"code":501,"message":"This server does not support …","type":"not_supported_error"}}`.
  if (status === 501) return isCountRoute(tried) || !body.includes('not_supported_error');
  // OpenRouter: `No endpoints found for …`, which is about a model as well.
  return status !== 404 || !/model|no endpoints found/i.test(body);
}
