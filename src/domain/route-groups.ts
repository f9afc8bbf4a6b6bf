/** Routes by whose API they belong to: what an API key can be limited to with one word. */
import { routeNames, type RouteName } from './routes.ts';

export const routeGroups = ['openai', 'anthropic', 'ollama', 'native'] as const;

/** native: an engine's own paths, WebSockets included. */
export type RouteGroup = (typeof routeGroups)[number];

const anthropic: ReadonlySet<RouteName> = new Set(['messages', 'count-tokens']);
const native: ReadonlySet<RouteName> = new Set([
  'native-completion',
  'infill',
  'tokenize',
  'detokenize',
  'apply-template',
  'props',
  'slots',
  'other',
]);

export function routeGroupOf(route: RouteName): RouteGroup {
  if (anthropic.has(route)) return 'anthropic';
  if (native.has(route)) return 'native';
  return route.startsWith('ollama-') ? 'ollama' : 'openai';
}

/** The routes that names of routes and of groups stand for. */
export function routesOf(names: readonly (RouteName | RouteGroup)[]): ReadonlySet<RouteName> {
  const named: ReadonlySet<string> = new Set(names);
  return new Set(routeNames.filter((route) => named.has(route) || named.has(routeGroupOf(route))));
}
