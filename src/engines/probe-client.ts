/**
 * Asks one backend one small question over HTTP. Owns deadlines, the bound on what is read and the naming of failures;
 * knows nothing of what the answers mean. Not for requests of clients.
 */
import { request, type IncomingMessage } from 'node:http';
import { request as requestTls, type RequestOptions } from 'node:https';
import { isOwnShortage } from '../base/own-shortage.ts';
import { ProbeFailure } from './engine-kind.ts';
import type { ProbeClient, ProbeResponse } from './engine-kind.ts';

export interface ProbeClientOptions {
  /** Base URL; a path in it is put before every route. */
  readonly url: URL;
  /** Sent as `Authorization: Bearer` and as `x-api-key`. */
  readonly apiKey?: string | undefined;
  /** PEM: what the server's certificate has to be or to be signed by, whatever its names. Default: one that is good for its name. */
  readonly certificate?: string | undefined;
  /** Deadline of each request, from its start to the last byte of its answer. */
  readonly timeoutMs: number;
  /** Largest answer that is read; default 8 MiB. */
  readonly bodyBytesMax?: number;
  /** Ends every running request. */
  readonly signal?: AbortSignal;
}

/** Each `get` is one request; redirects are not followed but returned as they are. */
export function createProbeClient(options: ProbeClientOptions): ProbeClient {
  const { url, apiKey, certificate, timeoutMs, bodyBytesMax = 8 * 1024 * 1024, signal } = options;
  const base = url.origin + url.pathname.replace(/\/+$/, '');
  const headers: Record<string, string> = { accept: 'application/json, text/plain;q=0.9, */*;q=0.1' };
  if (apiKey !== undefined) {
    headers['authorization'] = `Bearer ${apiKey}`;
    headers['x-api-key'] = apiKey;
  }

  async function attempt(path: string): Promise<ProbeResponse> {
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const response = await ask(base + path, {
        headers,
        ...(certificate !== undefined && trustOnly(certificate)),
        signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
      });
      const text = await readBounded(response, bodyBytesMax);
      return { status: response.statusCode ?? 0, headers: toMap(response), json: tryParseJson(text), text };
    } catch (error) {
      throw toProbeFailure(error, path, deadline.aborted ? timeoutMs : undefined);
    }
  }

  return {
    async get(path) {
      try {
        return await attempt(path);
      } catch (error) {
        // One broken connection proves nothing.
        if (error instanceof ProbeFailure && isClosedSocket(error) && signal?.aborted !== true) {
          return attempt(path);
        }
        throw error;
      }
    },
  };
}

/**
 * A connection of its own each time: an engine that accepts no more is not taken for a healthy one, and none of its
 * threads waits for our next question. Not `fetch`, which refuses some ports.
 */
function ask(url: string, options: RequestOptions): Promise<IncomingMessage> {
  const send = url.startsWith('https:') ? requestTls : request;
  return new Promise((resolve, reject) => {
    send(url, { ...options, agent: false }, resolve)
      .on('error', reject)
      .end();
  });
}

function trustOnly(
  certificate: string,
): Pick<RequestOptions, 'ca' | 'allowPartialTrustChain' | 'checkServerIdentity'> {
  return { ca: certificate, allowPartialTrustChain: true, checkServerIdentity: () => undefined };
}

function toMap({ headers }: IncomingMessage): ReadonlyMap<string, string> {
  return new Map(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

async function readBounded(response: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop closes the connection.
    if (bytes > bytesMax) throw new ProbeFailure('broken', `Answer is larger than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tryParseJson(text: string): unknown {
  const first = text.trimStart()[0];
  if (first !== '{' && first !== '[') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const closedCodes = new Set(['ECONNRESET', 'EPIPE']);

/** `overdueMs`: the deadline, when it has passed. */
function toProbeFailure(error: unknown, path: string, overdueMs: number | undefined): ProbeFailure {
  if (error instanceof ProbeFailure) return error;
  const code = systemCode(error);
  if (code === 'ECONNREFUSED') {
    return new ProbeFailure('refused', 'Connection refused', { cause: error });
  }
  if (isOwnShortage(code)) {
    return new ProbeFailure('unasked', `The router could not ask: it has no more sockets (${code})`, {
      cause: error,
    });
  }
  if (overdueMs !== undefined) {
    return new ProbeFailure('timeout', `No answer to GET ${path} within ${overdueMs} ms`, { cause: error });
  }
  if (code === 'ETIMEDOUT') {
    return new ProbeFailure('timeout', `No connection for GET ${path}`, { cause: error });
  }
  return new ProbeFailure('broken', `GET ${path} failed (${code ?? 'not valid HTTP'})`, { cause: error });
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function isClosedSocket(failure: ProbeFailure): boolean {
  return failure.kind === 'broken' && closedCodes.has(systemCode(failure.cause) ?? '');
}
