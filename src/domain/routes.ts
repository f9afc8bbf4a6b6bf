/** The inference routes that the router knows, independent of the path spelling a client used. */

export const routeNames = [
  'chat-completions',
  'completions',
  'embeddings',
  'responses',
  'messages',
  'count-tokens',
  /** The same of the Responses API. */
  'count-response-tokens',
  'ollama-chat',
  'ollama-generate',
  'ollama-embed',
  /** Ollama's older route for one embedding. */
  'ollama-embeddings',
  'rerank',
  'audio',
  'images',
  /** llama.cpp's own `/completion`. */
  'native-completion',
  'infill',
  'tokenize',
  'detokenize',
  'apply-template',
  'props',
  'slots',
  /** Anything else: tried on every live backend in turn. */
  'other',
] as const;

export type RouteName = (typeof routeNames)[number];

/** Routes that servers of any kind may have: all but those of Ollama's own API. */
export const sharedRouteNames: readonly RouteName[] = routeNames.filter(
  (name) => !name.startsWith('ollama-'),
);

/** Routes whose requests and answers can be translated to one another. */
export const translatableRoutes = [
  'chat-completions',
  'completions',
  'responses',
  'messages',
  'ollama-chat',
  'ollama-generate',
] as const satisfies readonly RouteName[];

export type TranslatableRoute = (typeof translatableRoutes)[number];
