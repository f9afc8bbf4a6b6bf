/** What is sent to a backend for a request: as it came, or with the edits that are declared for that backend. */
import type { ModelName } from '../domain/ids.ts';
import type { Backend } from '../engines/backend.ts';
import { renameModel, type NamingRequest, type Renamed } from './model-rename.ts';
import { areNoEdits, editJsonBody } from './request-edits.ts';
import type { Route } from './routes.ts';
import { toStreamedRequest, type StreamAssembly } from './stream-assembly.ts';
import { targetOf } from './target.ts';
import type { UpstreamTarget } from './upstream.ts';

export interface Outgoing {
  readonly target: UpstreamTarget;
  /** Path and query, without the backend's base path. */
  readonly url: string;
  readonly body: Buffer;
  /** Puts the answer together where a stream was asked for in the client's place; undefined: the answer passes through. */
  readonly assembly: StreamAssembly | undefined;
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
  readonly route: Route;
  /** The client asked for a stream. */
  readonly stream: boolean;
}

export function toOutgoing(source: OutgoingSource): Outgoing {
  const { backend, route, stream } = source;
  const target = targetOf(backend);
  const { url, body } = editRequest(source, backend);
  const wanted = backend.config.cancelNonStreaming && backend.kind.streamsAreWhole && !stream;
  const streamed = wanted ? toStreamedRequest(route.name, body) : undefined;
  return { target, url, body: streamed?.body ?? body, assembly: streamed?.assembly };
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
