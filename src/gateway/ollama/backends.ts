/** Which backends have Ollama's own API, and how they are asked beside their slots. */
import { LlameroError } from '../../domain/errors.ts';
import type { Backend } from '../../engines/backend.ts';
import type { GatewayParts } from '../gateway.ts';
import { loopHeader, signedBy } from '../loop-guard.ts';
import { targetOf, upstreamPath } from '../target.ts';
import type { UpstreamCall, UpstreamFailure } from '../upstream.ts';
import type { SurfaceCall } from './call.ts';

export function hasOllamaApi({ kind, isPeer }: Backend): boolean {
  return kind.routes.has('ollama-chat') && isPeer !== true;
}

/** All of them, in configuration order, dead ones too: what they missed has to show. @throws LlameroError */
export function ollamaBackends({ registry }: GatewayParts): readonly Backend[] {
  const backends = registry.list().filter(hasOllamaApi);
  if (backends.length > 0) return backends;
  throw new LlameroError('not_supported', 'No backend is an Ollama: there is nobody who keeps models');
}

export interface Question {
  /** The request that is answered by asking. */
  readonly call: SurfaceCall;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body?: object;
}

export interface AnswerListener {
  onHead(status: number): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  /** No answer came, or it broke off; nothing follows. */
  onFailure(reason: string): void;
}

/** Asks a backend and hands on what it answers. */
export function openQuestion(backend: Backend, question: Question, listener: AnswerListener): UpstreamCall {
  const { call, method, path, body } = question;
  const request = {
    method,
    path: upstreamPath(backend, path),
    headers: headersFor(backend, question),
    body: body && [Buffer.from(JSON.stringify(body))],
  };
  return call.parts.upstream.send(targetOf(backend), request, {
    onHead: (status) => listener.onHead(status),
    onData: (chunk) => listener.onData(chunk),
    onEnd: () => listener.onEnd(),
    onError: (failure) => listener.onFailure(describeFailure(failure)),
  });
}

function describeFailure({ kind, reason }: UpstreamFailure): string {
  return `${kind} failed: ${reason}`;
}

/** Names and values alternating. */
export function headersFor(
  { config: { apiKey } }: Backend,
  { call, body }: Omit<Question, 'path'>,
): string[] {
  const { id, parts, request } = call;
  const signed = signedBy(request.rawHeaders, parts.signature);
  const headers = ['accept', '*/*', 'x-request-id', id, loopHeader, signed];
  if (body !== undefined) headers.push('content-type', 'application/json');
  if (apiKey !== undefined) headers.push('authorization', `Bearer ${apiKey}`, 'x-api-key', apiKey);
  return headers;
}

export interface BackendReply {
  /** 0 = none came; `text` says why. */
  readonly status: number;
  readonly text: string;
}

/** An answer about a model is a few MB at most: its licence, its tokens. */
const replyBytesMax = 64 * 1024 * 1024;
/** None of these questions makes an engine compute. */
const replyMsMax = 30_000;

/** The whole answer of a backend. Never rejects. */
export function askBackend(backend: Backend, question: Question): Promise<BackendReply> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let status = 0;
    const finish = (reply: BackendReply): void => {
      clearTimeout(timer);
      resolve(reply);
    };
    const give = (reason: string): void => {
      asking.abort();
      finish({ status: 0, text: reason });
    };
    const timer = setTimeout(() => give(`no answer within ${replyMsMax / 1000} s`), replyMsMax);
    const asking = openQuestion(backend, question, {
      onHead: (received) => {
        status = received;
      },
      onData: (chunk) => {
        bytes += chunk.length;
        if (bytes > replyBytesMax) give(`its answer is larger than ${replyBytesMax} bytes`);
        else chunks.push(chunk);
      },
      onEnd: () => finish({ status, text: Buffer.concat(chunks).toString() }),
      onFailure: (reason) => finish({ status: 0, text: reason }),
    });
  });
}
