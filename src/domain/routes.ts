/** The inference routes that the router knows, independent of the path spelling a client used. */

export const routeNames = [
  'chat-completions',
  'completions',
  'embeddings',
  'responses',
  'messages',
  'count-tokens',
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
