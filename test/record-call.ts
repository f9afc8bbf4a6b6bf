/** Records what an upstream tells the handler of one request, for tests of whatever implements the contract. */
import type {
  Upstream,
  UpstreamCall,
  UpstreamFailure,
  UpstreamRequest,
  UpstreamTarget,
} from '../src/gateway/upstream.ts';

export interface RecordedCall {
  readonly call: UpstreamCall;
  /** 'head', 'data' …, 'end' or 'error', in the order they came. */
  readonly events: string[];
  status: number | undefined;
  headers: readonly string[];
  readonly chunks: Buffer[];
  failure: UpstreamFailure | undefined;
  /** The body so far, latin1. */
  body(): string;
  /** Resolves after onEnd or onError. */
  readonly over: Promise<void>;
}

export interface CallHooks {
  onHead?(record: RecordedCall): void;
  onData?(record: RecordedCall): void;
  onEnd?(record: RecordedCall): void;
}

export const getRequest: UpstreamRequest = { method: 'GET', path: '/health', headers: [], body: undefined };
export const postRequest: UpstreamRequest = {
  ...getRequest,
  method: 'POST',
  path: '/v1/chat',
  body: [Buffer.from('{"a":1}')],
};
/** A whole answer. */
export const okAnswer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A target without time limits. */
export function targetOf(url: URL, change: Partial<UpstreamTarget> = {}): UpstreamTarget {
  return {
    id: 'a',
    url,
    connectTimeoutMs: 0,
    probeAfterMs: 15_000,
    firstByteTimeoutMs: 0,
    idleTimeoutMs: 0,
    socketIdleMsMax: 4_000,
    ...change,
  };
}

export function recordCall(
  upstream: Upstream,
  target: UpstreamTarget,
  request: UpstreamRequest,
  hooks: CallHooks = {},
): RecordedCall {
  const { promise, resolve } = Promise.withResolvers<void>();
  const record: Omit<RecordedCall, 'call'> = {
    events: [],
    status: undefined,
    headers: [],
    chunks: [],
    failure: undefined,
    body: () => Buffer.concat(record.chunks).toString('latin1'),
    over: promise,
  };
  const call = upstream.send(target, request, {
    onHead(status, headers) {
      record.events.push('head');
      record.status = status;
      record.headers = headers;
      hooks.onHead?.(whole);
    },
    onData(chunk) {
      record.events.push('data');
      record.chunks.push(chunk);
      hooks.onData?.(whole);
    },
    onEnd() {
      record.events.push('end');
      hooks.onEnd?.(whole);
      resolve();
    },
    onError(failure) {
      record.events.push('error');
      record.failure = failure;
      resolve();
    },
  });
  if (record.events.length > 0) throw new Error('The handler was called from inside send');
  const whole: RecordedCall = Object.assign(record, { call });
  return whole;
}
