/** Which API a route belongs to, as a word for metrics and spans. */
import type { RouteName } from '../domain/routes.ts';

export type RouteDialect = 'openai' | 'anthropic' | 'ollama' | 'llamacpp' | 'other';

const dialects: Readonly<Record<RouteName, RouteDialect>> = {
  'chat-completions': 'openai',
  completions: 'openai',
  embeddings: 'openai',
  responses: 'openai',
  messages: 'anthropic',
  'count-tokens': 'anthropic',
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

export function dialectOf(route: RouteName): RouteDialect {
  return dialects[route];
}
