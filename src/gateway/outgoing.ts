/** What is sent to a backend for a request: as it came, or with the edits that are declared for that backend. */
import type { Clock } from '../base/clock.ts';
import { scanJsonObject } from '../base/json-scan.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { dialects } from '../dialects/index.ts';
import type { ModelRequest } from '../dialects/ir/request.ts';
import type { ModelName } from '../domain/ids.ts';
import type { RouteName } from '../domain/routes.ts';
import type { Backend } from '../engines/backend.ts';
import { renameModel, type NamingRequest, type Renamed } from './model-rename.ts';
import { areNoEdits, editJsonBody } from './request-edits.ts';
import type { Route } from './routes.ts';
import type { AnswerNotes } from './answer-notes.ts';
import type { AnswerTransform } from './answer-transform.ts';
import { nameSlot } from './name-slot.ts';
import { peekBody } from './peek.ts';
import { tryRepairAnswer } from './repair/answer-repair.ts';
import { toStreamedRequest } from './stream-assembly.ts';
import { targetOf } from './target.ts';
import type { Conversation } from './translation/conversation.ts';
import { tryTranslateCount } from './translation/count-translation.ts';
import { embedPath, translateEmbed } from './translation/embed-translation.ts';
import { needsTranslation, translate } from './translation/translate.ts';
import { dialectRoutes, isDialectRoute, isEmbedRoute } from './translation/dialect-routes.ts';
import type { RouteSupport } from './translation/route-support.ts';
import type { UpstreamTarget } from './upstream.ts';
import { tryAskForUsage } from './usage-request.ts';

export interface Outgoing {
  readonly target: UpstreamTarget;
  /** The engine's. */
  readonly route: RouteName;
  /** Path and query, without the backend's base path. */
  readonly url: string;
  /** In pieces. */
  readonly body: readonly Buffer[];
  /** The engine was asked for a stream. */
  readonly stream: boolean;
  /** Makes the client's answer of the engine's; undefined: the answer passes as it is. */
  readonly transform: AnswerTransform | undefined;
  /** What the engine could not be told, by its name in the client's request. */
  readonly dropped: readonly string[];
  /** In which the engine is spoken to; undefined = in none that is known here. */
  readonly dialect: Dialect | undefined;
}

/** A request that may have to be edited. */
export interface Editable extends NamingRequest {
  /** The name it asks for, after pins and selectors; undefined = it asks for none. */
  readonly requested: string | undefined;
  /** It is for this model of the backend, by its canonical name; undefined = for none in particular: nothing is edited. */
  readonly model: ModelName | undefined;
}

export interface OutgoingSource extends Editable {
  readonly backend: Backend;
  /** To be used there; undefined = the engine chooses. */
  readonly slot: number | undefined;
  readonly route: Route;
  /** The client asked for a stream. */
  readonly stream: boolean;
  readonly requestId: string;
  /** The model's name as the client said it; undefined = it named none. */
  readonly said: string | undefined;
  /** The body, where it was read before. */
  readonly asked: ModelRequest | undefined;
  /** What the request goes on from, and whether its answer is to be kept. */
  readonly conversation: Conversation | undefined;
  /** What the body is in place of what was asked; undefined = nothing was changed. */
  readonly repaired: ModelRequest | undefined;
  readonly notes: AnswerNotes;
  readonly arrivedEpochMs: number;
  readonly clock: Clock;
  readonly support: RouteSupport;
}

/** @throws LlameroError request_malformed, not_supported: it cannot be put in a way that the backend understands. */
export function toOutgoing(source: OutgoingSource): Outgoing {
  const { backend, route, stream, support } = source;
  const target = targetOf(backend);
  if (isDialectRoute(route.name) && needsTranslation(source, route.name)) {
    const { route: other, path, body, dropped, answer } = translate({ ...source, route: route.name });
    const dialect = dialects[dialectRoutes[other].dialect];
    return putOtherwise(source, { target, route: other, path, body, dropped, transform: answer, dialect });
  }
  if (isEmbedRoute(route.name) && !support.has(backend, route.name)) {
    const { body, dropped, answer } = translateEmbed({ ...source, route: route.name });
    return putOtherwise(source, {
      target,
      route: 'embeddings',
      path: embedPath,
      body,
      dropped,
      transform: answer,
      dialect: undefined,
    });
  }
  if (route.name === 'count-response-tokens' && support.has(backend, route.name)) {
    const count = tryTranslateCount(source);
    if (count !== undefined) {
      const words = { target, route: route.name, transform: undefined, dialect: undefined };
      return putOtherwise(source, { ...words, ...count });
    }
  }
  const { url, body: edited } = editRequest(source, backend);
  const body = nameSlot(edited, source.slot);
  const object = body === source.body ? source.peeked.object : scanJsonObject(body);
  const dialect = isDialectRoute(route.name) ? dialects[dialectRoutes[route.name].dialect] : undefined;
  if (stream && !backend.kind.habits.streamsTellUsage && backend.config.streamUsage) {
    const { endsWithDone: doneRequired } = backend.kind;
    const asked = tryAskForUsage({ route: route.name, body, object, doneRequired });
    if (asked !== undefined) {
      const transform = tryRepairAnswer(source) ?? asked.answer;
      return { target, route: route.name, url, body: asked.body, stream, transform, dropped: [], dialect };
    }
  }
  const wanted = backend.config.cancelNonStreaming && backend.kind.streamsAreWhole && !stream;
  const { notes } = source;
  const streamed = wanted ? toStreamedRequest({ route: route.name, body, object, notes }) : undefined;
  return {
    target,
    route: route.name,
    url,
    body: streamed?.body ?? [body],
    stream: stream || streamed !== undefined,
    transform: tryRepairAnswer(source, streamed?.assembly) ?? streamed?.assembly,
    dropped: [],
    dialect,
  };
}

interface OtherWords {
  readonly target: UpstreamTarget;
  readonly route: RouteName;
  readonly path: string;
  readonly body: Buffer;
  readonly dropped: readonly string[];
  readonly transform: AnswerTransform | undefined;
  readonly dialect: Dialect | undefined;
}

/** Edits are declared in the engine's terms, so they come after the translation. */
function putOtherwise(source: OutgoingSource, words: OtherWords): Outgoing {
  const { target, route, path, body, dropped, transform, dialect } = words;
  const peeked = peekBody({ body, contentType: undefined, query: '' });
  const edited = editRequest({ ...source, url: path, body, peeked }, source.backend);
  return {
    target,
    route,
    url: edited.url,
    body: [edited.body],
    stream: peeked.stream === true,
    transform,
    dropped,
    dialect,
  };
}

/** Another model name where the backend or a pin or selector wants one, then filters. The same values where nothing changes. */
export function editRequest(request: Editable, backend: Backend): Renamed {
  const { model, requested, peeked } = request;
  if (model === undefined) return request;
  const edits = backend.editsFor?.(model);
  const name = edits?.model ?? nameThere(backend, { model, requested });
  const renamed = name === undefined ? request : renameModel(request, name);
  if (edits === undefined || peeked.kind !== 'json' || areNoEdits({ ...edits, model: undefined }))
    return renamed;
  return {
    url: renamed.url,
    body: editJsonBody(renamed.body, { ...edits, model: undefined }, requested),
  };
}

/** The name that was asked for, unless it is one that only the router knows. */
function nameThere(
  { view }: Backend,
  { model, requested }: { readonly model: ModelName; readonly requested: string | undefined },
): string | undefined {
  return requested === undefined || view.models.has(requested) ? requested : model;
}
