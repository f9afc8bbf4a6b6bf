/**
 * An Ollama that keeps its models in memory: its routes about models as its documents and source have them, text and
 * vectors that say who made them. Remembers what it was asked.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeOllamaOptions {
  readonly models: readonly string[];
  /** Default 0.15.0. */
  readonly version?: string;
}

export interface FakeOllama extends AsyncDisposable {
  readonly url: string;
  /** Names of the models it has, with their tags. */
  readonly models: Set<string>;
  /** Those that are in memory. */
  readonly loaded: Set<string>;
  /** Sizes by digest. */
  readonly blobs: Map<string, number>;
  readonly asked: {
    readonly method: string;
    readonly path: string;
    readonly body: Record<string, unknown>;
  }[];
  /** The next requests of this path end with this error: as an answer with a status, or as a line of a stream. */
  fail(path: string, error: { readonly status?: number; readonly message: string }): void;
  /** The next streams of this path stop before their last line, until their client leaves. */
  hold(path: string): void;
  /** Paths of streams whose client has left before their end. */
  readonly left: string[];
  close(): Promise<void>;
}

type Json = Record<string, unknown>;
interface Call {
  readonly body: Json;
  readonly model: string;
  readonly response: ServerResponse;
}

const layer = { digest: `sha256:${'d'.repeat(64)}`, total: 100 };

export async function startFakeOllama(options: FakeOllamaOptions): Promise<FakeOllama> {
  const models = new Set(options.models.map(tagged));
  const loaded = new Set<string>();
  const blobs = new Map<string, number>();
  const asked: { method: string; path: string; body: Json }[] = [];
  const failures = new Map<string, { readonly status?: number; readonly message: string }>();
  const held = new Set<string>();
  const left: string[] = [];

  const entry = (name: string): Json => ({
    name,
    model: name,
    modified_at: '2026-01-02T03:04:05.678901234Z',
    size: 4000,
    digest: createHash('sha256').update(name).digest('hex'),
    details: {
      parent_model: '',
      format: 'gguf',
      family: 'llama',
      families: ['llama'],
      parameter_size: '8.0B',
      quantization_level: 'Q4_0',
    },
  });
  const running = (name: string): Json => {
    const { modified_at: _modified, ...rest } = entry(name);
    return { ...rest, size_vram: 3000, expires_at: '2026-01-02T03:09:05Z', context_length: 8192 };
  };

  function progress({ response, body }: Call, path: string, lines: readonly Json[]): void {
    response.setHeader('content-type', 'application/x-ndjson');
    for (const line of lines) response.write(`${JSON.stringify(line)}\n`);
    response.once('close', () => {
      if (!response.writableFinished) left.push(path);
    });
    if (held.has(path)) return;
    const failure = failures.get(path);
    const last = failure === undefined ? { status: 'success' } : { error: failure.message };
    if (failure === undefined) models.add(tagged(String(body['model'])));
    response.end(`${JSON.stringify(last)}\n`);
  }

  const posts: Readonly<Record<string, (call: Call) => void | Promise<void>>> = {
    '/api/show': ({ response, model }) => {
      if (!models.has(model)) return sendJson(response, 404, { error: `model '${model}' not found` });
      return sendJson(response, 200, {
        modelfile: '# fake',
        template: '{{ .Prompt }}',
        details: entry(model)['details'],
        model_info: { 'general.architecture': 'llama', 'llama.context_length': 131_072 },
        capabilities: ['completion', 'tools'],
        modified_at: '2026-01-02T03:04:05Z',
      });
    },
    '/api/pull': (call) =>
      progress(call, '/api/pull', [
        { status: 'pulling manifest' },
        { status: 'pulling d', ...layer },
        { status: 'pulling d', ...layer, completed: 60 },
        { status: 'pulling d', ...layer, completed: 100 },
        { status: 'writing manifest' },
      ]),
    '/api/push': (call) => progress(call, '/api/push', [{ status: 'retrieving manifest' }]),
    '/api/create': (call) => progress(call, '/api/create', [{ status: 'reading model metadata' }]),
    '/api/copy': ({ response, body }) => {
      if (!models.has(tagged(String(body['source'])))) {
        return sendJson(response, 404, { error: `model "${String(body['source'])}" not found` });
      }
      models.add(tagged(String(body['destination'])));
      return void response.end();
    },
    '/api/chat': ({ response, model, body }) => {
      loaded.add(model);
      const done = { ...base(model), done: true, done_reason: 'stop', prompt_eval_count: 5, eval_count: 2 };
      const message = { role: 'assistant', content: 'Hello' };
      if (body['stream'] === false) return sendJson(response, 200, { ...done, message });
      response.setHeader('content-type', 'application/x-ndjson');
      response.write(`${JSON.stringify({ ...base(model), message, done: false })}\n`);
      return void response.end(
        `${JSON.stringify({ ...done, message: { role: 'assistant', content: '' } })}\n`,
      );
    },
    '/api/generate': ({ response, model }) => {
      loaded.add(model);
      sendJson(response, 200, { ...base(model), response: 'Hello', done: true, done_reason: 'stop' });
    },
    '/api/embed': ({ response, model, body }) => {
      const inputs = Array.isArray(body['input']) ? body['input'] : [body['input']];
      sendJson(response, 200, {
        model,
        embeddings: inputs.map((_text, at) => [at, 1]),
        prompt_eval_count: 3,
      });
    },
    '/api/embeddings': ({ response }) => sendJson(response, 200, { embedding: [0.5, 1] }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/' } = request;
    if (path.startsWith('/api/blobs/')) {
      await answerBlob(request, response, path.slice('/api/blobs/'.length));
      return;
    }
    const body = await readJson(request);
    asked.push({ method, path, body });
    const failure = failures.get(path);
    if (failure?.status !== undefined) {
      sendJson(response, failure.status, { error: failure.message });
      return;
    }
    const name = body['model'] ?? body['name'];
    const model = typeof name === 'string' ? tagged(name) : '';
    const post = method === 'POST' ? posts[path] : undefined;
    if (post !== undefined) await post({ body, model, response });
    else if (path === '/') response.end('Ollama is running');
    else if (path === '/api/version') sendJson(response, 200, { version: options.version ?? '0.15.0' });
    else if (path === '/api/tags') sendJson(response, 200, { models: [...models].map(entry) });
    else if (path === '/api/ps') sendJson(response, 200, { models: [...loaded].map(running) });
    else if (method === 'DELETE' && path === '/api/delete') {
      if (models.delete(model)) response.end();
      else sendJson(response, 404, { error: `model '${model}' not found` });
    } else {
      response.statusCode = 404;
      response.end('404 page not found');
    }
  }

  async function answerBlob(
    request: IncomingMessage,
    response: ServerResponse,
    digest: string,
  ): Promise<void> {
    asked.push({ method: request.method ?? '', path: request.url ?? '', body: {} });
    if (request.method === 'HEAD') {
      response.statusCode = blobs.has(digest) ? 200 : 404;
      response.end();
      return;
    }
    const failure = failures.get('/api/blobs');
    if (failure?.status !== undefined) {
      sendJson(response, failure.status, { error: failure.message });
      request.resume();
      return;
    }
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    if (digest !== `sha256:${hash.digest('hex')}`) {
      sendJson(response, 400, { error: 'digest mismatch' });
      return;
    }
    response.statusCode = blobs.has(digest) ? 200 : 201;
    blobs.set(digest, bytes);
    response.end();
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    models,
    loaded,
    blobs,
    asked,
    fail: (path, error) => void failures.set(path, error),
    hold: (path) => void held.add(path),
    left,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function tagged(name: string): string {
  return name.includes(':') ? name : `${name}:latest`;
}

function base(model: string): Json {
  return { model, created_at: '2026-01-02T03:04:05.678901234Z' };
}

function sendJson(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}

async function readJson(request: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : (JSON.parse(text) as Json);
}
