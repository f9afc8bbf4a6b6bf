/**
 * Asks an engine to switch protocols (WebSocket) and hands over the socket, or the engine's refusal. One socket per
 * call, never pooled. What goes over the socket afterwards is the caller's.
 */
import type { Socket } from 'node:net';

import type { UpstreamFailure, UpstreamRequest, UpstreamTarget } from '../upstream.ts';
import { dialTarget } from './dial.ts';
import type { Dial } from './dial.ts';
import { formatRequestHead, RequestFault } from './request-head.ts';
import { ResponseReader } from './response-reader.ts';

export type UpgradeAnswer =
  /** 101: the socket is paused and has no listeners of ours; `rest` came after the head and is read first. */
  | {
      readonly kind: 'upgraded';
      readonly headers: readonly string[];
      readonly socket: Socket;
      readonly rest: Buffer;
    }
  /** Any other final answer, read to its end; the socket is closed. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly headers: readonly string[];
      readonly body: Buffer;
    }
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure };

export interface UpgradeOptions {
  readonly target: UpstreamTarget;
  /** Without `connection`, which is added; `upgrade` is part of the headers. A body is not sent. */
  readonly request: UpstreamRequest;
  /** Ends the attempt with failure `reset`. After `upgraded` it has no effect. */
  readonly signal: AbortSignal;
  readonly dial?: Dial;
}

/** A refusal is an error page; one larger than this is no answer to an upgrade. */
const refusalBytesMax = 1024 * 1024;

/** Resolves always; never rejects. */
export function openUpgrade(options: UpgradeOptions): Promise<UpgradeAnswer> {
  const { target, request, signal, dial = dialTarget } = options;
  let head: string;
  try {
    head = formatRequestHead(target.url.host, { ...request, body: undefined }, 'Upgrade');
  } catch (thrown) {
    if (!(thrown instanceof RequestFault)) throw thrown;
    return Promise.resolve(failed('protocol', 'no', thrown.message));
  }
  if (signal.aborted) return Promise.resolve(failed('reset', 'no', 'aborted'));
  return new Promise((resolve) => {
    let connected = false;
    let received = false;
    let reason: string | undefined;
    const answer = createAnswerReader(request.method);
    const limit = (timeoutMs: number, text: string): NodeJS.Timeout | undefined =>
      timeoutMs === 0 ? undefined : setTimeout(() => give(fail('timeout', text)), timeoutMs);
    const socket = dial(target, { onReady });
    let timer = limit(target.connectTimeoutMs, 'connect timeout');

    function onReady(): void {
      connected = true;
      clearTimeout(timer);
      timer = limit(target.firstByteTimeoutMs, 'first byte timeout');
      socket.write(head, 'latin1');
    }
    function fail(kind: UpstreamFailure['kind'], text: string): UpgradeAnswer {
      return failed(connected ? kind : 'connect', received ? 'yes' : connected ? 'unknown' : 'no', text);
    }
    function give(result: UpgradeAnswer): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('data', onData).off('end', onEnd).off('close', onClose);
      if (result.kind === 'upgraded') socket.pause().off('error', onError);
      else socket.destroy();
      resolve(result);
    }
    function onAbort(): void {
      give(fail('reset', 'aborted'));
    }
    function onData(bytes: Buffer): void {
      received = true;
      const result = answer.push(bytes, socket);
      if (result !== undefined) give(result);
    }
    function onEnd(): void {
      give(answer.end() ?? fail('reset', 'closed before the end of the answer'));
    }
    function onError(error: NodeJS.ErrnoException): void {
      reason ??= error.code ?? error.message;
    }
    function onClose(): void {
      give(fail('reset', reason ?? 'closed'));
    }
    signal.addEventListener('abort', onAbort);
    socket.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  });
}

interface AnswerReader {
  push(bytes: Buffer, socket: Socket): UpgradeAnswer | undefined;
  end(): UpgradeAnswer | undefined;
}

function createAnswerReader(method: string): AnswerReader {
  const reader = new ResponseReader({ method, upgrade: true });
  const pieces: Buffer[] = [];
  let bodyBytes = 0;
  let status = 0;
  let headers: readonly string[] = [];
  const sink = {
    head(head: { readonly status: number; readonly headers: readonly string[] }): void {
      ({ status, headers } = head);
    },
    body(piece: Buffer): void {
      pieces.push(piece);
      bodyBytes += piece.length;
    },
  };
  const refused = (): UpgradeAnswer => ({ kind: 'refused', status, headers, body: Buffer.concat(pieces) });
  return {
    push(bytes, socket) {
      let offset = 0;
      while (offset < bytes.length && !reader.done && reader.fault === undefined) {
        offset = reader.read(bytes, offset, sink);
        if (bodyBytes > refusalBytesMax) return failed('protocol', 'yes', 'refusal too large');
      }
      if (reader.fault !== undefined) return failed('protocol', 'yes', reader.fault);
      if (!reader.done) return undefined;
      if (status === 101) return { kind: 'upgraded', headers, socket, rest: bytes.subarray(offset) };
      return refused();
    },
    end: () => (reader.end() ? refused() : undefined),
  };
}

function failed(
  kind: UpstreamFailure['kind'],
  accepted: UpstreamFailure['accepted'],
  reason: string,
): UpgradeAnswer {
  return { kind: 'failed', failure: { kind, accepted, reason } };
}
