/**
 * Every error the router itself can answer with: one table, one class.
 * docs/errors.md is generated from the table; a test compares both ways.
 */

/** Who caused it: decides what a client may be told and whether a backend is blamed. */
export type ErrorSource = 'client' | 'queue' | 'placement' | 'process' | 'backend' | 'config' | 'internal';

/** What the caller can do: never = the same request fails again; later = wait (Retry-After says how long). */
export type RetryAdvice = 'never' | 'later' | 'now';

interface ErrorEntry {
  readonly source: ErrorSource;
  /** HTTP status; 0 = no HTTP answer is ever sent with it. */
  readonly status: number;
  readonly retry: RetryAdvice;
  /** `error.type` in an OpenAI-shaped body. */
  readonly type: string;
  /** Meaning and what to do, one or two sentences, for docs/errors.md. */
  readonly meaning: string;
}

export const errorTable = {
  request_malformed: {
    source: 'client',
    status: 400,
    retry: 'never',
    type: 'invalid_request_error',
    meaning:
      'The request could not be read: broken JSON where the router has to look into it, a bad header or a bad path. Correct the request.',
  },
  model_missing: {
    source: 'client',
    status: 400,
    retry: 'never',
    type: 'invalid_request_error',
    meaning:
      'The request names no `model` and the fleet serves more than one. Name one of those in the message.',
  },
  request_too_large: {
    source: 'client',
    status: 413,
    retry: 'never',
    type: 'invalid_request_error',
    meaning: 'The body is larger than `limits.body`. Send less, or raise the limit.',
  },
  cache_miss: {
    source: 'client',
    status: 504,
    retry: 'never',
    type: 'invalid_request_error',
    meaning:
      'The request may be answered from the cache only (`only-if-cached`), and no answer to it is kept ([docs/cache.md](cache.md)). Send it without that.',
  },
  unauthorized: {
    source: 'client',
    status: 401,
    retry: 'never',
    type: 'authentication_error',
    meaning:
      'No API key was sent, one that is neither in `apiKeys` nor in `keysFile`, or one that has expired. Send it as `Authorization: Bearer KEY`, `x-api-key` or `api-key`.',
  },
  model_not_allowed: {
    source: 'client',
    status: 403,
    retry: 'never',
    type: 'permission_error',
    meaning:
      "The API key's `models` name neither what the request asks for nor the model behind it. `GET /v1/models` lists what the key may use.",
  },
  route_not_allowed: {
    source: 'client',
    status: 403,
    retry: 'never',
    type: 'permission_error',
    meaning: "The route is not among the API key's `routes`. Use another key, or another API.",
  },
  admin_not_allowed: {
    source: 'client',
    status: 403,
    retry: 'never',
    type: 'permission_error',
    meaning:
      "The API key's `admin` does not open this part of the control API: reading takes `read`, changing `full`.",
  },
  rate_limit_exceeded: {
    source: 'client',
    status: 429,
    retry: 'later',
    type: 'rate_limit_error',
    meaning:
      'The API key has sent `requestsPerMinute` requests, or taken `tokensPerMinute` tokens. Retry after the time in `Retry-After`; the `x-ratelimit-` headers (`anthropic-ratelimit-` on routes of the Messages API) of each answer tell what is left.',
  },
  key_concurrency_limit: {
    source: 'client',
    status: 429,
    retry: 'later',
    type: 'rate_limit_error',
    meaning:
      'The API key has as many requests, waiting ones included, as its `concurrency` allows. Retry when one of them has ended.',
  },
  token_budget_exceeded: {
    source: 'client',
    status: 429,
    retry: 'later',
    type: 'rate_limit_error',
    meaning:
      'The API key has used its `tokensPerDay` or `tokensPerMonth`, or running requests have reserved the rest. `Retry-After` says when the next day or month begins in UTC, or, where only reserved tokens stand in the way, 1.',
  },
  model_not_found: {
    source: 'client',
    status: 404,
    retry: 'never',
    type: 'invalid_request_error',
    meaning: 'No backend serves the model. The message names the nearest one; `GET /v1/models` lists all.',
  },
  response_not_found: {
    source: 'client',
    status: 400,
    retry: 'never',
    type: 'invalid_request_error',
    meaning:
      'A request of the Responses API refers to an answer that is not kept: it was never stored, was deleted, had to leave (`responses`), or belongs to another key. Send the whole conversation.',
  },
  thread_unsupported: {
    source: 'client',
    status: 400,
    retry: 'never',
    type: 'invalid_request_error',
    meaning:
      'A request of the Messages API begins or continues a thread (`thread`), which no engine keeps. Send all messages and no `thread`; the official client does so by itself.',
  },
  not_found: {
    source: 'client',
    status: 404,
    retry: 'never',
    type: 'invalid_request_error',
    meaning: 'The router has no such route or object.',
  },
  host_refused: {
    source: 'client',
    status: 403,
    retry: 'never',
    type: 'permission_error',
    meaning:
      'The request calls the router by a public name (`Host`) although no key keeps strangers out: so would a page whose name was made to lead to this machine. Add `apiKeys`, use an address or `localhost`, or set `allowUnauthenticated: true`.',
  },
  other_site_refused: {
    source: 'client',
    status: 403,
    retry: 'never',
    type: 'permission_error',
    meaning:
      "A browser sent the request from a page of another site, which may not change anything here, nor open a WebSocket where there are no keys. Use the router's own page, or a program that is no browser.",
  },
  unload_timeout: {
    source: 'process',
    status: 504,
    retry: 'later',
    type: 'server_error',
    meaning:
      'A model was told to stop and is still there after its `unloadTimeout`, for requests and for the process, and after being killed. The message names it; its process hangs in the system.',
  },
  loop_detected: {
    source: 'placement',
    status: 508,
    retry: 'never',
    type: 'server_error',
    meaning:
      'The request came back to a router that had sent it on: `peers` or `backends` of several routers form a circle for this model.',
  },
  method_not_allowed: {
    source: 'client',
    status: 405,
    retry: 'never',
    type: 'invalid_request_error',
    meaning: 'The route exists with another method; the `allow` header names it.',
  },
  not_supported: {
    source: 'client',
    status: 501,
    retry: 'never',
    type: 'invalid_request_error',
    meaning: 'No live backend that serves the model has this route.',
  },
  images_not_supported: {
    source: 'client',
    status: 400,
    retry: 'never',
    type: 'invalid_request_error',
    meaning:
      'The request holds images, and every backend that serves the model says that it cannot see, or the `capabilities` of the model do. Ask another model, or leave the images out.',
  },
  context_length_exceeded: {
    source: 'client',
    status: 400,
    retry: 'never',
    type: 'invalid_request_error',
    meaning: 'The prompt is certainly longer than the context of every backend that serves the model.',
  },
  client_closed: {
    source: 'client',
    status: 0,
    retry: 'never',
    type: 'invalid_request_error',
    meaning:
      'The client left before the answer was complete. Never sent; seen in logs and in `/api/requests`.',
  },
  cancelled: {
    source: 'client',
    status: 499,
    retry: 'never',
    type: 'invalid_request_error',
    meaning: 'An operator cancelled the request through the API.',
  },
  queue_full: {
    source: 'queue',
    status: 429,
    retry: 'later',
    type: 'rate_limit_error',
    meaning: 'The queue holds `scheduling.queueMax` requests. Retry after the time in `Retry-After`.',
  },
  queue_timeout: {
    source: 'queue',
    status: 503,
    retry: 'later',
    type: 'server_error',
    meaning: 'No slot became free within `scheduling.queueTimeout`.',
  },
  shutting_down: {
    source: 'queue',
    status: 503,
    retry: 'later',
    type: 'server_error',
    meaning:
      'The router is draining before it ends. Another instance, or this one after its restart, will answer.',
  },
  too_many_connections: {
    source: 'queue',
    status: 503,
    retry: 'later',
    type: 'server_error',
    meaning: 'The router holds `limits.connections` client connections.',
  },
  concurrency_limit: {
    source: 'queue',
    status: 429,
    retry: 'later',
    type: 'rate_limit_error',
    meaning:
      'The model has as many requests, waiting ones included, as its `concurrencyLimit` allows. Retry after the time in `Retry-After`.',
  },
  model_not_loaded: {
    source: 'process',
    status: 409,
    retry: 'later',
    type: 'invalid_request_error',
    meaning:
      'The model is not loaded, and what was asked for is configured never to load it (`compat.ignoreWebsockets`, `upstream.ignorePaths`). Load it by a request first.',
  },
  model_unloaded: {
    source: 'queue',
    status: 503,
    retry: 'later',
    type: 'server_error',
    meaning: 'The request waited for a model that an operator unloaded. Sent again, it loads the model.',
  },
  model_does_not_fit: {
    source: 'placement',
    status: 503,
    retry: 'never',
    type: 'server_error',
    meaning:
      'The model alone takes more memory than `routing.router.settings.memory` has for all models; the message has both. Raise that, make the model smaller, or correct its `memory` if the measured need is wrong.',
  },
  process_spawn_failed: {
    source: 'process',
    status: 502,
    retry: 'later',
    type: 'server_error',
    meaning:
      'The command of the model could not be started: no such program, not executable, or its port is taken. The message has the reason.',
  },
  process_exited: {
    source: 'process',
    status: 502,
    retry: 'later',
    type: 'server_error',
    meaning:
      'The process of the model ended by itself. The message has its exit code or signal and the last lines it wrote; after several such ends in a row it is not started again before the time in `Retry-After`.',
  },
  process_ready_timeout: {
    source: 'process',
    status: 504,
    retry: 'later',
    type: 'server_error',
    meaning:
      'The process of the model did not become healthy within `healthCheckTimeout`. The message has the last answer of its `checkEndpoint`.',
  },
  process_hook_failed: {
    source: 'process',
    status: 502,
    retry: 'later',
    type: 'server_error',
    meaning:
      'The model was ready, but an `on_load` hook that is `required` failed or took too long, so it was stopped again. The message has the hook and the last lines it wrote.',
  },
  no_backend: {
    source: 'placement',
    status: 503,
    retry: 'later',
    type: 'server_error',
    meaning:
      'Backends serve the model, but none has been alive for `scheduling.deadWait`. Look at `/api/status` for the reason each one is down.',
  },
  backend_connect_failed: {
    source: 'backend',
    status: 502,
    retry: 'later',
    type: 'server_error',
    meaning:
      'No connection to any backend that serves the model could be made. Every attempt is in the `x-llamero-attempts` header.',
  },
  backend_timeout: {
    source: 'backend',
    status: 504,
    retry: 'later',
    type: 'server_error',
    meaning: 'The backend sent nothing for longer than the timeout configured for it.',
  },
  backend_reset: {
    source: 'backend',
    status: 502,
    retry: 'later',
    type: 'server_error',
    meaning:
      'The backend broke the connection after it may have accepted the prompt, so the request was not repeated elsewhere. Mid-stream the client sees it as an error event and an abnormal end.',
  },
  ensemble_failed: {
    source: 'backend',
    status: 502,
    retry: 'later',
    type: 'server_error',
    meaning:
      'None of the answers that an ensemble had asked for came to its end; the message has the reason of the first. A refusal of an engine or of the router is passed on as it is instead.',
  },
  backend_protocol: {
    source: 'backend',
    status: 502,
    retry: 'later',
    type: 'server_error',
    meaning:
      'The backend answered something that is not valid HTTP, or a stream that ended without its end mark.',
  },
  config_invalid: {
    source: 'config',
    status: 422,
    retry: 'never',
    type: 'invalid_request_error',
    meaning:
      'The configuration file has an error; the message gives file, line, column and key. The running configuration stays.',
  },
  internal: {
    source: 'internal',
    status: 500,
    retry: 'later',
    type: 'server_error',
    meaning: 'A fault of the router itself. The log has the details under the request id.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;

/** What callers are told because of their API key. */
export const keyErrorCodes: ReadonlySet<ErrorCode> = new Set([
  'unauthorized',
  'model_not_allowed',
  'route_not_allowed',
  'admin_not_allowed',
  'rate_limit_exceeded',
  'key_concurrency_limit',
  'token_budget_exceeded',
]);

export interface ErrorOptions {
  /** What the request did wrong, in OpenAI's `param` (a field name). */
  readonly param?: string;
  /** Whole seconds for `Retry-After`; only with codes whose retry advice is `later`. */
  readonly retryAfterS?: number;
  readonly cause?: unknown;
}

/** The only error class that crosses module borders. Messages: sentence case, no full stop, name the thing and the limit. */
export class LlameroError extends Error {
  override readonly name = 'LlameroError';
  readonly code: ErrorCode;
  readonly param: string | undefined;
  readonly retryAfterS: number | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.param = options.param;
    this.retryAfterS = options.retryAfterS;
  }

  get status(): number {
    return errorTable[this.code].status;
  }

  /** Turns anything thrown into one of ours; a stranger becomes `internal` and keeps its cause for the log. */
  static from(thrown: unknown): LlameroError {
    if (thrown instanceof LlameroError) return thrown;
    return new LlameroError('internal', 'Internal error', { cause: thrown });
  }
}
