/**
 * The table of paths that the data plane serves. A match says which engine route it is, how its errors look, and
 * whether it takes a slot. Paths that are not here are best effort (`other`).
 */
import type { RouteName } from '../domain/routes.ts';

/** Whose error shape the caller expects. */
export type ErrorDialect = 'openai' | 'openai-responses' | 'anthropic';

export interface Route {
  readonly name: RouteName;
  readonly dialect: ErrorDialect;
  /** False: the engine answers beside its slots (tokenising, templates, listings). */
  readonly takesSlot: boolean;
  /** True: the caller must say which model (or the fleet has just one). */
  readonly needsModel: boolean;
}

const inference = (name: RouteName, dialect: ErrorDialect = 'openai'): Route => ({
  name,
  dialect,
  takesSlot: true,
  needsModel: true,
});
const native = (name: RouteName, takesSlot: boolean): Route => ({
  name,
  dialect: 'openai',
  takesSlot,
  needsModel: false,
});

const chat = inference('chat-completions');
const completions = inference('completions');
const embeddings = inference('embeddings');
const responses = inference('responses', 'openai-responses');
const rerank = inference('rerank');
const tokenize = native('tokenize', false);
const props = native('props', false);
const slots = native('slots', false);

/** By method and exact path. */
const exact: ReadonlyMap<string, Route> = new Map([
  ['POST /v1/chat/completions', chat],
  ['POST /chat/completions', chat],
  ['POST /v1/completions', completions],
  ['POST /v1/embeddings', embeddings],
  ['POST /embeddings', embeddings],
  ['POST /embedding', embeddings],
  ['POST /v1/responses', responses],
  ['POST /responses', responses],
  ['POST /v1/messages', inference('messages', 'anthropic')],
  ['POST /v1/messages/count_tokens', { ...inference('count-tokens', 'anthropic'), takesSlot: false }],
  ['POST /v1/rerank', rerank],
  ['POST /v1/reranking', rerank],
  ['POST /rerank', rerank],
  ['POST /reranking', rerank],
  ['POST /completion', native('native-completion', true)],
  ['POST /completions', native('native-completion', true)],
  ['POST /infill', native('infill', true)],
  ['POST /tokenize', tokenize],
  ['POST /detokenize', native('detokenize', false)],
  ['POST /apply-template', native('apply-template', false)],
  ['GET /props', props],
  ['POST /props', props],
  ['GET /slots', slots],
]);

const prefixes: readonly { readonly start: string; readonly route: Route }[] = [
  { start: '/v1/audio/', route: inference('audio') },
  { start: '/v1/images/', route: inference('images') },
];
const slotAction = /^\/slots\/\d+$/;

/** A path nobody declared: any live backend may know it. */
export const otherRoute: Route = native('other', true);

/** `path` without the query. */
export function matchRoute(method: string, path: string): Route {
  const found = exact.get(`${method} ${path}`);
  if (found !== undefined) return found;
  if (method === 'POST') {
    for (const { start, route } of prefixes) if (path.startsWith(start)) return route;
    if (slotAction.test(path)) return slots;
  }
  return otherRoute;
}

/** Error shape for a path, also where no route is involved (authentication, unknown methods). */
export function dialectOf(path: string): ErrorDialect {
  if (path.startsWith('/v1/messages')) return 'anthropic';
  return 'openai';
}
