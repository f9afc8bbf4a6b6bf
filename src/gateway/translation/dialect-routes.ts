/** Which route speaks which dialect, and what else a request in one dialect can be said in. Facts only. */
import type { DialectName } from '../../dialects/dialect.ts';
import type { RouteName, TranslatableRoute } from '../../domain/routes.ts';

interface DialectRoute {
  readonly dialect: DialectName;
  /** Where engines have it. */
  readonly path: string;
}

export const dialectRoutes: Readonly<Record<TranslatableRoute, DialectRoute>> = {
  'chat-completions': { dialect: 'openai-chat', path: '/v1/chat/completions' },
  completions: { dialect: 'openai-completions', path: '/v1/completions' },
  responses: { dialect: 'openai-responses', path: '/v1/responses' },
  messages: { dialect: 'anthropic-messages', path: '/v1/messages' },
  'ollama-chat': { dialect: 'ollama-chat', path: '/api/chat' },
  'ollama-generate': { dialect: 'ollama-generate', path: '/api/generate' },
};

/**
 * Other routes that can carry a request, the one that loses least first. Chat completions come first wherever they
 * serve: every engine has them, and most care goes into them there.
 */
export const otherRoutes: Readonly<Record<TranslatableRoute, readonly TranslatableRoute[]>> = {
  'chat-completions': ['ollama-chat', 'responses', 'messages'],
  completions: ['ollama-generate'],
  responses: ['chat-completions', 'messages', 'ollama-chat'],
  messages: ['chat-completions', 'responses', 'ollama-chat'],
  'ollama-chat': ['chat-completions', 'responses', 'messages'],
  'ollama-generate': ['chat-completions', 'completions', 'responses', 'messages'],
};

export function isDialectRoute(route: RouteName): route is TranslatableRoute {
  return Object.hasOwn(dialectRoutes, route);
}

/** Ollama's routes for embeddings, which `/v1/embeddings` can stand in for. */
export type EmbedRouteName = 'ollama-embed' | 'ollama-embeddings';

export function isEmbedRoute(route: RouteName): route is EmbedRouteName {
  return route === 'ollama-embed' || route === 'ollama-embeddings';
}

/** Routes that count what a request of another one holds; the router can guess that itself. */
export function isCountRoute(route: RouteName): boolean {
  return route === 'count-tokens' || route === 'count-response-tokens';
}

/** Every route by which an engine could answer a request of this one, itself first. */
export function routesFor(route: RouteName): readonly RouteName[] {
  if (isDialectRoute(route)) return [route, ...otherRoutes[route]];
  return isEmbedRoute(route) ? [route, 'embeddings'] : [route];
}
