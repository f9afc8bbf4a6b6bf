/**
 * The table of paths that the data plane serves. A match says which engine route it is, how its errors look, and
 * whether it takes a slot. Paths that are not here are best effort (`other`).
 */
import type { RouteName } from '../domain/routes.ts';

/** Whose error shape the caller expects. */
export type ErrorDialect = 'openai' | 'openai-responses' | 'anthropic' | 'ollama';

export interface Route {
  readonly name: RouteName;
  readonly dialect: ErrorDialect;
  /** False: the engine answers beside its slots (tokenising, templates, listings). */
  readonly takesSlot: boolean;
  /** True: the caller must say which model (or the fleet has just one). */
  readonly needsModel: boolean;
  /** What a request that says nothing of streams gets. */
  readonly streamsByDefault: boolean;
}

const inference = (name: RouteName, dialect: ErrorDialect = 'openai'): Route => ({
  name,
  dialect,
  takesSlot: true,
  needsModel: true,
  streamsByDefault: false,
});
const native = (name: RouteName, takesSlot: boolean): Route => ({
  name,
  dialect: 'openai',
  takesSlot,
  needsModel: false,
  streamsByDefault: false,
});
/** Lists that a model's server keeps: the caller says which model, the engine answers beside its slots. */
const listing = (name: RouteName): Route => ({ ...inference(name), takesSlot: false });

const chat = inference('chat-completions');
const completions = inference('completions');
const embeddings = inference('embeddings');
const responses = inference('responses', 'openai-responses');
const rerank = inference('rerank');
const countTokens: Route = { ...inference('count-tokens', 'anthropic'), takesSlot: false };
const countResponseTokens: Route = { ...inference('count-response-tokens'), takesSlot: false };
const messages = inference('messages', 'anthropic');
const ollamaChat: Route = { ...inference('ollama-chat', 'ollama'), streamsByDefault: true };
const ollamaGenerate: Route = { ...inference('ollama-generate', 'ollama'), streamsByDefault: true };
const ollamaEmbed = inference('ollama-embed', 'ollama');
const ollamaEmbeddings = inference('ollama-embeddings', 'ollama');
const audio = inference('audio');
const images = inference('images');
const tokenize = native('tokenize', false);
const props = native('props', false);
const slots = native('slots', false);

/** By exact path; by method first, so that no text is put together for each request. */
const posted: ReadonlyMap<string, Route> = new Map([
  ['/v1/chat/completions', chat],
  ['/chat/completions', chat],
  ['/v1/completions', completions],
  ['/v1/embeddings', embeddings],
  ['/embeddings', embeddings],
  ['/embedding', embeddings],
  ['/v1/responses', responses],
  ['/responses', responses],
  ['/v1/responses/input_tokens', countResponseTokens],
  ['/responses/input_tokens', countResponseTokens],
  ['/v1/messages', messages],
  ['/v1/messages/count_tokens', countTokens],
  ['/api/chat', ollamaChat],
  ['/api/generate', ollamaGenerate],
  ['/api/embed', ollamaEmbed],
  ['/api/embeddings', ollamaEmbeddings],
  ['/v1/rerank', rerank],
  ['/v1/reranking', rerank],
  ['/rerank', rerank],
  ['/reranking', rerank],
  ['/completion', native('native-completion', true)],
  ['/completions', native('native-completion', true)],
  ['/infill', native('infill', true)],
  ['/tokenize', tokenize],
  ['/detokenize', native('detokenize', false)],
  ['/apply-template', native('apply-template', false)],
  ['/props', props],
  ['/sdapi/v1/txt2img', images],
  ['/sdapi/v1/img2img', images],
]);
const read: ReadonlyMap<string, Route> = new Map([
  ['/props', props],
  ['/slots', slots],
  ['/v1/audio/voices', listing('audio')],
  ['/sdapi/v1/loras', listing('images')],
]);

/** Paths with a prefix that engines do not know, which is taken off: llama-swap's, for other version prefixes in a model's URL. */
const prefixed: ReadonlyMap<string, { readonly route: Route; readonly path: string }> = new Map([
  ['/v/chat/completions', { route: chat, path: '/chat/completions' }],
  ['/v/completions', { route: completions, path: '/completions' }],
  ['/v/embeddings', { route: embeddings, path: '/embeddings' }],
  ['/v/responses', { route: responses, path: '/responses' }],
  ['/v/messages', { route: messages, path: '/messages' }],
  ['/v/messages/count_tokens', { route: countTokens, path: '/messages/count_tokens' }],
  ['/v/rerank', { route: rerank, path: '/rerank' }],
  ['/v/reranking', { route: rerank, path: '/reranking' }],
  ['/audioapi/v1/tasks/run', { route: audio, path: '/v1/tasks/run' }],
]);

const prefixes: readonly { readonly start: string; readonly route: Route }[] = [
  { start: '/v1/audio/', route: audio },
  { start: '/v1/images/', route: images },
];
const slotAction = /^\/slots\/\d+$/;

/** A path nobody declared: any live backend may know it. */
export const otherRoute: Route = native('other', true);

/** The same, for what an engine answers beside its slots: the files of a page. */
export const besideRoute: Route = native('other', false);

/** `path` without the query. */
export function matchRoute(method: string, path: string): Route {
  if (method === 'GET') return read.get(path) ?? otherRoute;
  if (method === 'POST') {
    const found = posted.get(path);
    if (found !== undefined) return found;
    for (const { start, route } of prefixes) if (path.startsWith(start)) return route;
    if (slotAction.test(path)) return slots;
  }
  return otherRoute;
}

/** The route and the engine's own path of a path with a prefix that engines do not know; undefined for all others. */
export function withoutPrefix(
  method: string,
  path: string,
): { readonly route: Route; readonly path: string } | undefined {
  return method === 'POST' ? prefixed.get(path) : undefined;
}

/** Methods of a path that is known with others than the one it was asked with; undefined = the path is unknown. */
export function allowedMethods(path: string): string | undefined {
  const methods: string[] = [];
  if (read.has(path)) methods.push('GET');
  if (posted.has(path) || prefixed.has(path)) methods.push('POST');
  return methods.length === 0 ? undefined : methods.join(', ').replace('GET', 'GET, HEAD');
}

/** Error shape for a path, also where no route is involved (authentication, unknown methods). */
export function dialectOf(path: string): ErrorDialect {
  if (path.startsWith('/v1/messages') || path.startsWith('/v/messages')) return 'anthropic';
  if (posted.get(path)?.dialect === 'ollama') return 'ollama';
  return 'openai';
}
