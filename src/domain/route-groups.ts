/** Which API each route belongs to: the one table of it, and what an API key can be limited to with one word. */
import { routeNames, type RouteName } from './routes.ts';

/** other: an engine's own paths that nobody declared, WebSockets included. */
export type RouteApi = 'openai' | 'anthropic' | 'ollama' | 'llamacpp' | 'other';

const apiByRoute: Readonly<Record<RouteName, RouteApi>> = {
  'chat-completions': 'openai',
  completions: 'openai',
  embeddings: 'openai',
  responses: 'openai',
  messages: 'anthropic',
  'count-tokens': 'anthropic',
  'count-response-tokens': 'openai',
  'ollama-chat': 'ollama',
  'ollama-generate': 'ollama',
  'ollama-embed': 'ollama',
  'ollama-embeddings': 'ollama',
  rerank: 'openai',
  audio: 'openai',
  images: 'openai',
  'native-completion': 'llamacpp',
  infill: 'llamacpp',
  tokenize: 'llamacpp',
  detokenize: 'llamacpp',
  'apply-template': 'llamacpp',
  props: 'llamacpp',
  slots: 'llamacpp',
  other: 'other',
};

export function apiOf(route: RouteName): RouteApi {
  return apiByRoute[route];
}

export const routeGroups = ['openai', 'anthropic', 'ollama', 'native'] as const;

/** native: an engine's own paths, WebSockets included. */
export type RouteGroup = (typeof routeGroups)[number];

/** The routes that names of routes and of groups stand for. */
export function routesOf(names: readonly (RouteName | RouteGroup)[]): ReadonlySet<RouteName> {
  const named: ReadonlySet<string> = new Set(names);
  return new Set(routeNames.filter((route) => named.has(route) || named.has(routeGroupOf(route))));
}

function routeGroupOf(route: RouteName): RouteGroup {
  const api = apiOf(route);
  return api === 'llamacpp' || api === 'other' ? 'native' : api;
}
