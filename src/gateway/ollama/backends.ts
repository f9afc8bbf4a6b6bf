/** Which backends have Ollama's own API, and how they are asked beside their slots. */
import { LlameroError } from '../../domain/errors.ts';
import type { Backend } from '../../engines/backend.ts';
import type { GatewayParts } from '../gateway.ts';
import { targetOf, upstreamPath } from '../target.ts';
import type { UpstreamCall, UpstreamFailure } from '../upstream.ts';

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
  readonly requestId: string;
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
export function openQuestion(
  { upstream }: GatewayParts,
  backend: Backend,
  question: Question,
  listener: AnswerListener,
): UpstreamCall {
  const { method, path, body } = question;
  const request = {
    method,
    path: upstreamPath(backend, path),
    headers: headersFor(backend, question),
    body: body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
  };
  return upstream.send(targetOf(backend), request, {
    onHead: (status) => listener.onHead(status),
    onData: (chunk) => listener.onData(chunk),
    onEnd: () => listener.onEnd(),
    onError: (failure) => listener.onFailure(describeFailure(failure)),
  });
}

export function describeFailure({ kind, reason }: UpstreamFailure): string {
  return `${kind} failed: ${reason}`;
}

/** Names and values alternating. */
export function headersFor({ config: { apiKey } }: Backend, { requestId, body }: Question): string[] {
  const headers = ['accept', '*/*', 'x-request-id', requestId];
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
export function askBackend(parts: GatewayParts, backend: Backend, question: Question): Promise<BackendReply> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let status = 0;
    const finish = (reply: BackendReply): void => {
      clearTimeout(timer);
      resolve(reply);
    };
    const give = (reason: string): void => {
      call.abort();
      finish({ status: 0, text: reason });
    };
    const timer = setTimeout(() => give(`no answer within ${replyMsMax / 1000} s`), replyMsMax);
    const call = openQuestion(parts, backend, question, {
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
