/** What is sent to a backend for a request: the body as it came, or with declared edits. */
import type { Backend } from '../engines/backend.ts';
import type { Route } from './routes.ts';
import { toStreamedRequest, type StreamAssembly } from './stream-assembly.ts';
import { targetOf } from './target.ts';
import type { UpstreamTarget } from './upstream.ts';

export interface Outgoing {
  readonly target: UpstreamTarget;
  readonly body: Buffer;
  /** Puts the answer together where a stream was asked for in the client's place; undefined: the answer passes through. */
  readonly assembly: StreamAssembly | undefined;
}

export interface OutgoingSource {
  readonly backend: Backend;
  readonly route: Route;
  readonly body: Buffer;
  /** The client asked for a stream. */
  readonly stream: boolean;
}

export function toOutgoing({ backend, route, body, stream }: OutgoingSource): Outgoing {
  const target = targetOf(backend);
  const wanted = backend.config.cancelNonStreaming && backend.kind.streamsAreWhole && !stream;
  const streamed = wanted ? toStreamedRequest(route.name, body) : undefined;
  return { target, body: streamed?.body ?? body, assembly: streamed?.assembly };
}
