/** An answer of the engine that is an error, in llama-server's own shape. */

const types: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  404: 'not_found_error',
  500: 'server_error',
  501: 'not_supported_error',
  503: 'unavailable_error',
};

export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly status: number;
  readonly type: string;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    message: string,
    options: { readonly type?: string; readonly extra?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message);
    this.status = status;
    this.type = options.type ?? types[status] ?? 'server_error';
    this.extra = options.extra ?? {};
  }

  /** llama-server writes `code` first in errors of its routes, and last in those of its HTTP layer. */
  get body(): unknown {
    const { status: code, message, type } = this;
    if (code === 401 || code === 404 || code === 503) return { error: { message, type, code } };
    return { error: { code, message, type, ...this.extra } };
  }
}

export function notFound(): EngineError {
  return new EngineError(404, 'File Not Found');
}
