/** What is sent to a backend for a request: the body as it came, or with declared edits. */
import type { Backend } from '../engines/backend.ts';
import type { Route } from './routes.ts';
import type { UpstreamTarget } from './upstream.ts';
import { targetOf } from './target.ts';

/** Puts an answer that was asked for as a stream together again. */
export interface AnswerAssembly {
  /** True once the engine has begun a stream; an error answer before that passes as it is. */
  readonly active: boolean;
  head(status: number, headers: readonly string[]): void;
  push(chunk: Buffer): void;
  /** The whole answer, or the error that the stream carried. */
  finish(): { readonly status: number; readonly body: Buffer };
}

export interface Outgoing {
  readonly target: UpstreamTarget;
  readonly body: Buffer;
  /** Undefined: the answer passes through. */
  readonly assembly: AnswerAssembly | undefined;
}

export interface OutgoingSource {
  readonly backend: Backend;
  readonly route: Route;
  readonly body: Buffer;
  /** The client asked for a stream. */
  readonly stream: boolean;
}

export function toOutgoing({ backend, body }: OutgoingSource): Outgoing {
  return { target: targetOf(backend), body, assembly: undefined };
}
