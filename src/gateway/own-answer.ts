/** Requests that the router answers itself, because no engine has to, or none can. */
import { readCountRequest, writeCount } from '../dialects/anthropic-messages/count-tokens.ts';
import type { JsonObject, ModelRequest } from '../dialects/ir/request.ts';
import { intentOf } from '../dialects/ollama/request.ts';
import { writeCount as writeResponseCount } from '../dialects/openai-responses/count-tokens.ts';
import { estimateInputTokens } from '../dialects/token-estimate.ts';
import { LlameroError } from '../domain/errors.ts';
import type { ModelName } from '../domain/ids.ts';
import type { RouteName } from '../domain/routes.ts';
import { isPlain } from './fleet.ts';
import type { GatewayParts } from './gateway.ts';
import { isEmbedRoute, type EmbedRouteName } from './translation/dialect-routes.ts';
import { translateEmbed } from './translation/embed-translation.ts';
import { parseObject, readShape } from './translation/read-request.ts';

export interface OwnAnswer {
  /** More headers, names and values alternating. */
  readonly headers: readonly string[];
  readonly body: JsonObject;
}

export interface ForeignQuestion {
  readonly route: RouteName;
  readonly body: Buffer;
  /** The body, where the route has a dialect. */
  readonly asked: ModelRequest | undefined;
  /** As the client named it, and as the fleet knows it; undefined = it named none. */
  readonly requested: string;
  readonly model: ModelName | undefined;
}

/**
 * For a route that no engine of the model has. undefined = an engine has to answer after all.
 * @throws LlameroError request_malformed; not_supported where a model that is not ours should be unloaded
 */
export function tryOwnAnswer(parts: GatewayParts, question: ForeignQuestion): OwnAnswer | undefined {
  const { route, body, asked, requested, model } = question;
  if (route === 'count-tokens') {
    return estimated(
      readShape(() => readCountRequest(parseObject(body))),
      writeCount,
    );
  }
  if (isEmbedRoute(route)) return tryEmptyEmbed(parts, { ...question, route });
  if (asked === undefined || model === undefined) return undefined;
  if (route === 'count-response-tokens') return estimated(asked, writeResponseCount);
  return tryUnload(parts, { request: asked, requested, model });
}

/** An estimate, for engines that cannot count; the answer says so in a header. */
function estimated(request: ModelRequest, write: (inputTokens: number) => JsonObject): OwnAnswer {
  return { headers: ['x-llamero-estimated', 'true'], body: write(estimateInputTokens(request)) };
}

function tryEmptyEmbed(
  { clock }: GatewayParts,
  { route, body }: ForeignQuestion & { readonly route: EmbedRouteName },
): OwnAnswer | undefined {
  const { empty } = translateEmbed({ route, body, arrivedEpochMs: clock.epochMs(), clock });
  return empty && { headers: [], body: empty };
}

interface OllamaQuestion {
  readonly request: ModelRequest;
  /** As the client named it, and as the fleet knows it. */
  readonly requested: string;
  readonly model: ModelName;
}

/** Ollama's way to unload: nothing to say, and nothing to keep it for. */
function tryUnload(parts: GatewayParts, question: OllamaQuestion): OwnAnswer | undefined {
  const { request, requested, model } = question;
  if (intentOf(request) !== 'unload') return undefined;
  const serving = parts.fleet.names().get(model) ?? [];
  if (!serving.some(({ view }) => view.process !== undefined)) {
    const where = serving.find(isPlain)?.id ?? 'another server';
    throw new LlameroError(
      'not_supported',
      `Model '${requested}' is kept loaded by '${where}', which cannot unload it`,
    );
  }
  parts.dispatcher.requestUnload(model);
  return ollamaDone(parts, question, 'unload');
}

/** Ollama's way to load a model and nothing else, once it is loaded. undefined = the request is another one. */
export function tryLoaded(parts: GatewayParts, question: OllamaQuestion): OwnAnswer | undefined {
  return intentOf(question.request) === 'load' ? ollamaDone(parts, question, 'load') : undefined;
}

function ollamaDone(
  { clock }: GatewayParts,
  { request, requested }: OllamaQuestion,
  reason: 'load' | 'unload',
): OwnAnswer {
  const answer = request.kind === 'chat' ? { message: { role: 'assistant', content: '' } } : { response: '' };
  return {
    headers: [],
    body: {
      model: requested,
      created_at: new Date(clock.epochMs()).toISOString(),
      ...answer,
      done: true,
      done_reason: reason,
    },
  };
}
