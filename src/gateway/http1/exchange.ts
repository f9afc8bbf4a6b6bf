/**
 * One request on its way: what its connection needs to send it and whom to tell. Shared by the pool, the connection and
 * the caller's handle; holds no logic beyond these few facts.
 */
import type { UpstreamHandler, UpstreamRequest, UpstreamTarget } from '../upstream.ts';
import type { Connection } from './connection.ts';

export interface Exchange {
  readonly target: UpstreamTarget;
  readonly request: UpstreamRequest;
  /** The formatted head of the request, latin1. */
  readonly head: string;
  readonly handler: UpstreamHandler;
  /** Its body is held back until the engine says that it wants it, or has been silent for long enough. */
  readonly asksFirst: boolean;
  /** Where it is now; undefined = ended, failed or aborted: the handler hears nothing more. */
  connection: Connection | undefined;
  paused: boolean;
  /** It broke on a reused socket and is on its second, new one; or it must not be repeated for another reason. */
  repeated: boolean;
}
