/**
 * Where the path of a request leads on the data plane: to an engine's route, to one model by name (`/upstream/MODEL/…`),
 * elsewhere by a redirect, or nowhere. Looks at the head only; reserves and starts nothing.
 */
import { LlameroError, type ErrorCode } from '../domain/errors.ts';
import type { ModelName } from '../domain/ids.ts';
import { isUp, type Fleet } from './fleet.ts';
import type { GatewayParts } from './gateway.ts';
import { allowedMethods, besideRoute, matchRoute, otherRoute, withoutPrefix, type Route } from './routes.ts';

export interface Asked {
  readonly method: string;
  /** As received, without the query, and the query without its question mark. */
  readonly path: string;
  readonly query: string;
  /** The `accept` header. */
  readonly accept: string | undefined;
}

export type Destination =
  | {
      readonly kind: 'engine';
      readonly route: Route;
      /** What the request is known by, in records. */
      readonly path: string;
      /** Path and query as the engine gets them, nothing decoded. */
      readonly url: string;
      /** Where the path names the model: body and query then pass as they came. */
      readonly modelInPath: ModelName | undefined;
    }
  | { readonly kind: 'redirect'; readonly status: 301 | 302 | 308; readonly location: string }
  | {
      readonly kind: 'refusal';
      readonly error: LlameroError;
      readonly path: string;
      /** Programs ask there, not people. */
      readonly isApi: boolean;
      /** Value of the `allow` header. */
      readonly allow: string | undefined;
    };

type Parts = Pick<GatewayParts, 'names' | 'fleet' | 'models'>;

/** Where a browser that asks for `/` is sent. */
const monitorPath = '/monitor';
const upstreamStart = '/upstream/';
const comfyStart = '/comfyui/';
/** The model behind `/comfyui/`, by llama-swap's convention. */
const comfyModel = 'comfyui_auto';

export function findDestination(parts: Parts, asked: Asked): Destination {
  const { method, path, query } = asked;
  if (path === '/comfyui') return redirect(asked, comfyStart);
  if (path.startsWith(comfyStart)) return toComfy(parts, asked);
  if (path.startsWith(upstreamStart)) return toModel(parts, asked);
  const { route, path: enginePath } = withoutPrefix(method, path) ?? {
    route: matchRoute(method, path),
    path,
  };
  const allow = route === otherRoute ? allowedMethods(path) : undefined;
  if (allow !== undefined && method !== 'OPTIONS' && method !== 'HEAD') {
    const error = new LlameroError('method_not_allowed', `${path} takes ${allow}`);
    return { kind: 'refusal', error, path, isApi: true, allow };
  }
  return { kind: 'engine', route, path, url: withQuery(enginePath, query), modelInPath: undefined };
}

/** Pages that a browser gets without a key, because they say nothing: undefined for everything else. */
export function findOpenRedirect(
  fleet: Fleet,
  { method, path, accept }: Asked,
): Extract<Destination, { kind: 'redirect' }> | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  const isBrowser = accept?.includes('text/html') === true;
  // An engine's own pages stay reachable where there are engines that nobody has to name.
  const isPage = isBrowser && (path === '/' || isPageOfLlamaSwap(path));
  const isOurs = path === '/upstream' || (isPage && fleet.unnamed().length === 0);
  return isOurs ? { kind: 'redirect', status: 302, location: monitorPath } : undefined;
}

/** Where llama-swap has its pages: bookmarks go on working. */
function isPageOfLlamaSwap(path: string): boolean {
  return path === '/ui' || path.startsWith('/ui/');
}

/** `/upstream/MODEL/REST`: the longest name that is known wins; it may hold slashes, escaped or not. */
function toModel(parts: Parts, asked: Asked): Destination {
  const { method, path, query } = asked;
  const segments = path.slice(upstreamStart.length).split('/');
  for (let count = segments.length; count > 0; count -= 1) {
    const model = tryDecode(segments.slice(0, count).join('/'));
    if (model === undefined || !isKnown(parts, model)) continue;
    if (count === segments.length) return redirect(asked, `${path}/`);
    const rest = `/${segments.slice(count).join('/')}`;
    const ignored = parts.models().ignorePaths.some((pattern) => pattern.test(rest));
    if (ignored && isAsleep(parts, model)) {
      return refuse(
        asked,
        'model_not_loaded',
        `Model '${model}' is not loaded; path matches upstream.ignorePaths`,
      );
    }
    return {
      kind: 'engine',
      ...upstreamRoute(method, path, rest),
      url: withQuery(rest, query),
      modelInPath: model,
    };
  }
  return refuse(asked, 'model_not_found', `No model has a name that ${path} begins with`);
}

function toComfy(parts: Parts, asked: Asked): Destination {
  const { method, path, query } = asked;
  if (!parts.models().models.has(comfyModel)) {
    return refuse(asked, 'model_not_found', `There is no model '${comfyModel}'`);
  }
  if (path !== comfyStart && isAsleep(parts, comfyModel)) {
    return refuse(
      asked,
      'model_not_loaded',
      `Model '${comfyModel}' is not loaded; only ${comfyStart} can start it`,
    );
  }
  const rest = path.slice(comfyStart.length - 1);
  return {
    kind: 'engine',
    route: method === 'POST' ? otherRoute : besideRoute,
    path,
    url: withQuery(rest, query),
    modelInPath: comfyModel,
  };
}

/** An inference route counts as one; whatever else a page fetches runs beside the slots. */
function upstreamRoute(method: string, path: string, rest: string): { route: Route; path: string } {
  const route = matchRoute(method, rest);
  if (route !== otherRoute) return { route, path: rest };
  return { route: method === 'POST' ? otherRoute : besideRoute, path };
}

function isKnown({ names, fleet }: Parts, name: string): boolean {
  return (
    names.profile.current?.pins.has(name) === true ||
    names.find(name) !== undefined ||
    fleet.names().has(name)
  );
}

/** True for a model of our own that a request would have to load. Nobody else's is our business. */
function isAsleep({ names, fleet }: Parts, name: string): boolean {
  const target = names.unpin(name);
  const found = target instanceof LlameroError ? undefined : names.find(target);
  if (found === undefined) return false;
  const targets = found.kind === 'selector' ? found.selector.targets : [found];
  return targets.every((each) => each.kind === 'model' && !isReady(fleet, each.model));
}

function isReady(fleet: Fleet, model: ModelName): boolean {
  const backend = fleet.get(model);
  return backend !== undefined && isUp(backend);
}

function refuse({ path }: Asked, code: ErrorCode, message: string): Destination {
  return { kind: 'refusal', error: new LlameroError(code, message), path, isApi: false, allow: undefined };
}

/** 308 keeps method and body of what is no reading. */
function redirect({ method, query }: Asked, location: string): Destination {
  const status = method === 'GET' || method === 'HEAD' ? 301 : 308;
  return { kind: 'redirect', status, location: withQuery(location, query) };
}

function withQuery(path: string, query: string): string {
  return query === '' ? path : `${path}?${query}`;
}

function tryDecode(escaped: string): string | undefined {
  try {
    return decodeURIComponent(escaped);
  } catch {
    return undefined;
  }
}
