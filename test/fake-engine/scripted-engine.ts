/** An engine whose answers a test writes down: any status, any text, in any pieces. Remembers what it was asked. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ScriptedRequest {
  readonly path: string;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ScriptedAnswer {
  /** Default 200. */
  readonly status?: number;
  /** Default: JSON. */
  readonly type?: string;
  /** An object is sent as JSON. */
  readonly body?: string | object;
  /** In place of `body`: writes and ends the answer itself, its head included. */
  readonly write?: (response: ServerResponse) => void;
}

export interface ScriptedEngine {
  readonly url: string;
  /** Every POST so far, in order. */
  readonly asked: readonly ScriptedRequest[];
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ScriptedEngineOptions {
  /** Answers by path to what probes ask; others get 404. Default: of a server with the model `m`. */
  readonly probes?: Readonly<Record<string, object>>;
  /** `index`: of the request among all, from 0. */
  readonly answer: (request: ScriptedRequest, index: number) => ScriptedAnswer;
}

const oneModel = {
  '/health': { status: 'ok' },
  '/v1/models': { object: 'list', data: [{ id: 'm', object: 'model', owned_by: 'test' }] },
};

export async function startScriptedEngine({
  probes = oneModel,
  answer,
}: ScriptedEngineOptions): Promise<ScriptedEngine> {
  const asked: ScriptedRequest[] = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    if (request.method !== 'POST') {
      send(response, path in probes ? { body: probes[path] ?? {} } : { status: 404, body: {} });
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const taken = { path, text, body: JSON.parse(text) as Record<string, unknown> };
      asked.push(taken);
      send(response, answer(taken, asked.length - 1));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, asked, close, [Symbol.asyncDispose]: close };
}

function send(response: ServerResponse, { status = 200, type, body = '', write }: ScriptedAnswer): void {
  if (write !== undefined) {
    write(response);
    return;
  }
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': type ?? 'application/json', connection: 'close' });
  response.end(text);
}
