/** One small server per engine kind, answering as that engine does, and able to misbehave path by path. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EngineName } from '../../src/domain/engine-names.ts';

/** What a path answers: a JSON value, a text, or whatever a function does with the response. */
export type Answer =
  | { readonly status?: number; readonly json: unknown }
  | { readonly status?: number; readonly text: string }
  | ((response: ServerResponse, request: IncomingMessage) => void);

export interface EngineFixture {
  /** By path; with a query in the key, for that query only. */
  readonly routes: Readonly<Record<string, Answer>>;
  /** Everything else. */
  readonly otherwise: Answer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FixtureServer {
  readonly url: URL;
  readonly port: number;
  /** Paths asked for so far, with their queries. */
  readonly asked: string[];
  /** Replaces the answer of a path; undefined = the fixture's own again. */
  override(path: string, answer: Answer | undefined): void;
  /** Replaces all routes at once. */
  become(fixture: EngineFixture): void;
  close(): Promise<void>;
}

const models = (...entries: readonly object[]) => ({ json: { object: 'list', data: entries } });

const notFound: Answer = {
  status: 404,
  json: { error: { message: 'File Not Found', type: 'not_found_error', code: 404 } },
};

const fastApiNotFound: Answer = { status: 404, json: { detail: 'Not Found' } };

const llamacpp: EngineFixture = {
  headers: { server: 'llama.cpp' },
  otherwise: notFound,
  routes: {
    '/health': { json: { status: 'ok' } },
    '/v1/models': models({
      id: 'tiny',
      aliases: ['tiny', 'tiny-alias'],
      object: 'model',
      owned_by: 'llamacpp',
      meta: { n_ctx: 4096, n_ctx_train: 8192 },
    }),
    '/props': {
      json: {
        default_generation_settings: { params: {}, n_ctx: 4096 },
        total_slots: 4,
        model_alias: 'tiny',
        endpoint_slots: true,
        endpoint_metrics: false,
        build_info: 'b11669-Debian',
        is_sleeping: false,
      },
    },
    '/slots': {
      json: [0, 1, 2, 3].map((id) => ({ id, n_ctx: 4096, is_processing: id === 1 })),
    },
  },
};

const ollama: EngineFixture = {
  otherwise: { status: 404, text: '404 page not found' },
  routes: {
    '/': { text: 'Ollama is running' },
    '/api/version': { json: { version: '0.13.1' } },
    '/api/tags': {
      json: {
        models: [
          {
            name: 'llama3:latest',
            model: 'llama3:latest',
            size: 1,
            digest: 'a',
            details: { format: 'gguf' },
          },
          { name: 'qwen3:8b', model: 'qwen3:8b', size: 1, digest: 'b', details: { format: 'gguf' } },
        ],
      },
    },
    '/api/ps': {
      json: { models: [{ name: 'qwen3:8b', model: 'qwen3:8b', size_vram: 1, context_length: 4096 }] },
    },
    '/v1/models': models(
      { id: 'llama3:latest', object: 'model', owned_by: 'library' },
      { id: 'qwen3:8b', object: 'model', owned_by: 'library' },
    ),
  },
};

const vllm: EngineFixture = {
  otherwise: fastApiNotFound,
  routes: {
    '/health': { text: '' },
    '/version': { json: { version: '0.11.2' } },
    '/v1/models': models(
      {
        id: 'meta/llama',
        object: 'model',
        owned_by: 'vllm',
        root: '/m',
        parent: null,
        max_model_len: 32_768,
      },
      {
        id: 'adapter',
        object: 'model',
        owned_by: 'vllm',
        root: '/a',
        parent: 'meta/llama',
        max_model_len: null,
      },
    ),
    '/metrics': {
      text: [
        '# TYPE vllm:num_requests_running gauge',
        'vllm:num_requests_running{engine="0",model_name="meta/llama"} 3.0',
        'vllm:num_requests_waiting{engine="0",model_name="meta/llama"} 2.0',
        'vllm:num_requests_waiting_by_reason{engine="0"} 9.0',
        '',
      ].join('\n'),
    },
  },
};

const sglang: EngineFixture = {
  otherwise: fastApiNotFound,
  routes: {
    '/health': { text: '' },
    '/v1/models': models({
      id: 'qwen',
      object: 'model',
      owned_by: 'sglang',
      root: 'qwen',
      max_model_len: 40_960,
    }),
    '/server_info': {
      json: {
        model_path: 'qwen',
        api_key: 'secret-of-the-engine',
        max_running_requests: null,
        internal_states: [
          { effective_max_running_requests_per_dp: 48 },
          { effective_max_running_requests_per_dp: 48 },
        ],
        version: '0.5.6',
      },
    },
    '/get_load': {
      json: [
        { dp_rank: 0, num_reqs: 5 },
        { dp_rank: 1, num_reqs: 2 },
      ],
    },
  },
};

/** It answers 200 on routes that it does not have. */
const lmstudio: EngineFixture = {
  otherwise: { json: { error: 'Unexpected endpoint or method. (GET /)' } },
  routes: {
    '/v1/models': models(
      { id: 'qwen/qwen3.5-9b', object: 'model', owned_by: 'organization_owner' },
      { id: 'gemma', object: 'model', owned_by: 'organization_owner' },
    ),
    '/api/v0/models': models(
      {
        id: 'qwen/qwen3.5-9b',
        object: 'model',
        type: 'llm',
        state: 'loaded',
        max_context_length: 262_144,
        loaded_context_length: 8192,
      },
      { id: 'gemma', object: 'model', type: 'llm', state: 'not-loaded', max_context_length: 131_072 },
    ),
  },
};

const openai: EngineFixture = {
  otherwise: {
    status: 404,
    json: { error: { message: 'Unknown request URL', type: 'invalid_request_error' } },
  },
  routes: {
    '/v1/models': models(
      { id: 'gpt-x', object: 'model', owned_by: 'system' },
      { id: 'embed-x', object: 'model', owned_by: 'system' },
    ),
  },
};

export const engineFixtures: Readonly<Record<EngineName, EngineFixture>> = {
  llamacpp,
  ollama,
  vllm,
  sglang,
  lmstudio,
  openai,
};

/** A web server that has nothing to do with inference: one page for every path. */
export const webSite: EngineFixture = {
  headers: { server: 'nginx' },
  otherwise: { text: '<!doctype html><title>My site</title>' },
  routes: {},
};

/** An API of another trade that answers JSON everywhere. */
export const otherApi: EngineFixture = {
  otherwise: { json: { status: 'ok', version: '1.2.3', data: { items: [] } } },
  routes: {},
};

export async function startFixture(fixture: EngineFixture): Promise<FixtureServer> {
  let current = fixture;
  const overrides = new Map<string, Answer>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const target = request.url ?? '/';
    const path = target.split('?')[0] ?? '/';
    asked.push(target);
    for (const [name, value] of Object.entries(current.headers ?? {})) response.setHeader(name, value);
    const answer =
      overrides.get(target) ??
      overrides.get(path) ??
      current.routes[target] ??
      current.routes[path] ??
      current.otherwise;
    if (typeof answer === 'function') answer(response, request);
    else respond(response, answer);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    port,
    asked,
    override(path, answer) {
      if (answer === undefined) overrides.delete(path);
      else overrides.set(path, answer);
    },
    become(other) {
      current = other;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function respond(response: ServerResponse, answer: Exclude<Answer, (...args: never[]) => void>): void {
  response.statusCode = answer.status ?? 200;
  if ('json' in answer) {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer.json));
  } else {
    response.setHeader('content-type', 'text/plain');
    response.end(answer.text);
  }
}
