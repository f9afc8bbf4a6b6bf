/** From a client's request to what an engine without that route gets in its place, and the way back for its answer. */
import type { Clock } from '../../base/clock.ts';
import { LlameroError } from '../../domain/errors.ts';
import type { ModelName } from '../../domain/ids.ts';
import type { TranslatableRoute } from '../../domain/routes.ts';
import type { AnswerContext } from '../../dialects/dialect.ts';
import { dialects } from '../../dialects/index.ts';
import type { JsonObject, ModelRequest } from '../../dialects/ir/request.ts';
import type { Backend } from '../../engines/backend.ts';
import type { AnswerNotes } from '../answer-notes.ts';
import { AnswerTranslation } from './answer-translation.ts';
import { keepsAnswers, type Conversation } from './conversation.ts';
import { dialectRoutes, otherRoutes } from './dialect-routes.ts';
import { parseObject, readModelRequest } from './read-request.ts';
import type { RouteSupport } from './route-support.ts';

export interface Translatable {
  readonly backend: Backend;
  readonly route: TranslatableRoute;
  readonly body: Buffer;
  /** The body, where it was read before. */
  readonly asked: ModelRequest | undefined;
  /** What the request goes on from, and whether its answer is to be kept. */
  readonly conversation: Conversation | undefined;
  /** What the engine is to get in place of what was asked; undefined = the same. */
  readonly repaired: ModelRequest | undefined;
  readonly notes: AnswerNotes;
  /** The client wants a stream. */
  readonly stream: boolean;
  /** By its canonical name on the backend. */
  readonly model: ModelName | undefined;
  /** The model as the client named it; undefined = it named none. */
  readonly said: string | undefined;
  readonly requestId: string;
  readonly arrivedEpochMs: number;
  readonly clock: Clock;
  readonly support: RouteSupport;
}

export interface Translated {
  /** The engine's route. */
  readonly route: TranslatableRoute;
  readonly path: string;
  readonly body: Buffer;
  /** What the engine could not be told, by its name in the client's request. */
  readonly dropped: readonly string[];
  readonly answer: AnswerTranslation;
}

/** True where the request has to be translated for this engine, or taken apart because of what came before it. */
export function needsTranslation(
  { backend, support, conversation }: Omit<Translatable, 'route'>,
  route: TranslatableRoute,
): boolean {
  return !support.has(backend, route) || (conversation !== undefined && !keepsAnswers(backend));
}

/** @throws LlameroError request_malformed, not_supported */
export function translate(source: Translatable): Translated {
  const { backend, route, support, conversation } = source;
  const client = dialects[dialectRoutes[route].dialect];
  const asked = source.asked ?? readModelRequest(route, parseObject(source.body), source.model);
  // Only a stream tells such an engine that the client has left.
  const upstreamStreams = source.stream || backend.kind.cancelsOnDisconnect === 'streaming';
  const request: ModelRequest = { ...(source.repaired ?? asked), stream: upstreamStreams };
  for (const other of [route, ...otherRoutes[route]]) {
    if (!support.has(backend, other)) continue;
    const { dialect, path } = dialectRoutes[other];
    const dropped = new Set<string>();
    const onDropped = (field: string): void => void dropped.add(field);
    const engine = dialects[dialect];
    const body = engine.writeRequest(request, { habits: backend.kind.habits, onDropped });
    if (body === undefined) continue;
    const context = contextOf(source, asked);
    const answer = new AnswerTranslation({
      client,
      engine,
      context,
      stream: source.stream,
      onAnswer: conversation?.keep,
      splitThoughts: backend.config.repairs.thinkTags,
      notes: source.notes,
      blamesClient: (status, text) => backend.kind.blamesClient(status, text),
    });
    const sent = tellsProgress(backend, other) && upstreamStreams ? { ...body, return_progress: true } : body;
    return { route: other, path, body: toBytes(sent), dropped: [...dropped], answer };
  }
  const path = dialectRoutes[route].path;
  throw new LlameroError(
    'not_supported',
    `Backend '${backend.id}' has no route ${path}, and this request cannot be said by any route that it has`,
  );
}

/** `request`: as the client meant it. */
export function contextOf(
  source: Pick<Translatable, 'clock' | 'said' | 'requestId' | 'arrivedEpochMs'>,
  request: ModelRequest,
): AnswerContext {
  const { clock, said, requestId, arrivedEpochMs } = source;
  return {
    request,
    model: said ?? request.model,
    requestId,
    arrivedMs: arrivedEpochMs,
    nowMs: () => clock.epochMs(),
  };
}

/** @throws LlameroError request_malformed for what can be read but not written: thousands of values within one another */
function toBytes(body: JsonObject): Buffer {
  try {
    return Buffer.from(JSON.stringify(body));
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    throw new LlameroError('request_malformed', 'The body holds too many values within one another');
  }
}

/** It says in a stream how much of the prompt it has read, if it is asked to. */
function tellsProgress({ kind }: Backend, route: TranslatableRoute): boolean {
  return kind.habits.tellsProgress && (route === 'chat-completions' || route === 'completions');
}
