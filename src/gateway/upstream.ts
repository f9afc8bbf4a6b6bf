/**
 * The contract between the life of a request and whatever carries bytes to an engine. One request over one connection,
 * reported step by step, so that the retry rule can know what the engine may have seen.
 */

/** Where a connection goes and how the engine there likes its sockets. One pool per target object. */
export interface UpstreamTarget {
  /** Pool key: backend id. */
  readonly id: string;
  readonly url: URL;
  readonly connectTimeoutMs: number;
  /**
   * A connection that has been silent this long is asked by TCP whether its other end still lives, so that a host that
   * vanished is noticed even during a long prompt. 0 = 15 s.
   */
  readonly probeAfterMs: number;
  /** A body whose request has `Expect: 100-continue` waits this long for the engine's word. Default 0: it does not wait. */
  readonly continueWaitMs?: number;
  /** 0 = none. */
  readonly firstByteTimeoutMs: number;
  /** 0 = none. */
  readonly idleTimeoutMs: number;
  readonly socketIdleMsMax: number;
  /** No socket is used again after an event stream. Default: they are. */
  readonly socketEndsWithStream?: boolean;
}

export interface UpstreamRequest {
  readonly method: string;
  /** Path and query as they go on the request line, the target's base path included. */
  readonly path: string;
  /** Names and values alternating, ready to send, without host, connection, content-length and transfer-encoding. */
  readonly headers: readonly string[];
  /** In pieces, which must stay as they are until the answer has ended; undefined and no bytes at all are the same. */
  readonly body: readonly Buffer[] | undefined;
}

/**
 * connect: no connection. reset: broken or closed before the answer was complete. timeout: first-byte or idle limit.
 * protocol: not valid HTTP. aborted: `abort` was called (onError is then not called at all).
 */
export type UpstreamFailureKind = 'connect' | 'reset' | 'timeout' | 'protocol';

export interface UpstreamFailure {
  readonly kind: UpstreamFailureKind;
  /**
   * Whether the engine can have taken the request. no: nothing was written, or a reused socket broke before any byte of
   * an answer (it was closed while idle; such a request is repeated once on a new socket before this is reported).
   * unknown: it was written and no answer came. yes: part of an answer came.
   */
  readonly accepted: 'no' | 'unknown' | 'yes';
  /** System error code (`ECONNREFUSED`) or a short reason. */
  readonly reason: string;
}

/**
 * Called in order: onSent, onHead, onData*, then exactly one of onEnd / onError; nothing after `abort`. An engine may answer
 * before everything is sent; a request that is repeated is sent twice. Only onSent may be called from inside `send`.
 */
export interface UpstreamHandler {
  /** The last of the request went to the system for sending. */
  onSent?(): void;
  /** Final (not 1xx) status and headers as received, names and values alternating, names in their original case. */
  onHead(status: number, headers: readonly string[]): void;
  /** Body bytes, transfer coding removed. The buffer is the receiver's to keep. `isLast`: known to be the last ones. */
  onData(chunk: Buffer, isLast: boolean): void;
  onEnd(): void;
  onError(failure: UpstreamFailure): void;
}

export interface UpstreamCall {
  /** Stop reading from the engine until `resume`; what was read already may still arrive once. */
  pause(): void;
  resume(): void;
  /** Destroys the connection at once. Idempotent; after onEnd/onError a no-op. */
  abort(): void;
}

export interface Upstream {
  send(target: UpstreamTarget, request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall;
  /** Closes idle sockets of a target that left; busy ones close after their request. */
  forget(targetId: string): void;
  /** Closes everything, busy sockets too. */
  close(): void;
}
