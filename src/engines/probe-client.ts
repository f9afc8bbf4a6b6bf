/**
 * Asks one backend one small question over HTTP. Owns deadlines, the bound on what is read and the naming of failures;
 * knows nothing of what the answers mean. Not for requests of clients.
 */
import { ProbeFailure } from './engine-kind.ts';
import type { ProbeClient, ProbeResponse } from './engine-kind.ts';

export interface ProbeClientOptions {
  /** Base URL; a path in it is put before every route. */
  readonly url: URL;
  /** Sent as `Authorization: Bearer`. */
  readonly apiKey?: string | undefined;
  /** Deadline of each request, from its start to the last byte of its answer. */
  readonly timeoutMs: number;
  /** Largest answer that is read; default 8 MiB. */
  readonly bodyBytesMax?: number;
  /** Ends every running request. */
  readonly signal?: AbortSignal;
}

/** Each `get` is one request; redirects are not followed but returned as they are. */
export function createProbeClient(options: ProbeClientOptions): ProbeClient {
  const { url, apiKey, timeoutMs, bodyBytesMax = 8 * 1024 * 1024, signal } = options;
  const base = url.origin + url.pathname.replace(/\/+$/, '');
  const headers: Record<string, string> = { accept: 'application/json, text/plain;q=0.9, */*;q=0.1' };
  if (apiKey !== undefined) headers['authorization'] = `Bearer ${apiKey}`;

  async function attempt(path: string): Promise<ProbeResponse> {
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(base + path, {
        headers,
        redirect: 'manual',
        signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
      });
      const text = await readBounded(response, bodyBytesMax);
      return { status: response.status, headers: new Map(response.headers), json: tryParseJson(text), text };
    } catch (error) {
      throw toProbeFailure(error, path, timeoutMs);
    }
  }

  return {
    async get(path) {
      try {
        return await attempt(path);
      } catch (error) {
        // Engines close idle sockets after a few seconds (llama-server: 5 s); a question that met such a closing is asked again.
        if (error instanceof ProbeFailure && isClosedSocket(error) && signal?.aborted !== true) {
          return attempt(path);
        }
        throw error;
      }
    },
  };
}

async function readBounded(response: Response, bytesMax: number): Promise<string> {
  if (response.body === null) return '';
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks).toString('utf8');
    bytes += value.byteLength;
    if (bytes > bytesMax) {
      await reader.cancel();
      throw new ProbeFailure('broken', `Answer is larger than ${bytesMax} bytes`);
    }
    chunks.push(value);
  }
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

const timeoutCodes = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'ETIMEDOUT']);
const closedCodes = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

function toProbeFailure(error: unknown, path: string, timeoutMs: number): ProbeFailure {
  if (error instanceof ProbeFailure) return error;
  const code = systemCode(error);
  if (code === 'ECONNREFUSED') {
    return new ProbeFailure('refused', 'Connection refused', { cause: error });
  }
  if ((error instanceof Error && error.name === 'TimeoutError') || timeoutCodes.has(code ?? '')) {
    return new ProbeFailure('timeout', `No answer to GET ${path} within ${timeoutMs} ms`, { cause: error });
  }
  return new ProbeFailure('broken', `GET ${path} failed (${code ?? 'not valid HTTP'})`, { cause: error });
}

/** fetch wraps what went wrong: `TypeError: fetch failed` with the system's error as its cause. */
function systemCode(error: unknown): string | undefined {
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth++) {
    if ('code' in current && typeof current.code === 'string') return current.code;
    current = current.cause;
  }
  return undefined;
}

function isClosedSocket(failure: ProbeFailure): boolean {
  return failure.kind === 'broken' && closedCodes.has(systemCode(failure.cause) ?? '');
}
