/**
 * One HTTP exchange as llama-server conducts it: its headers in its order, no `Date`, `Connection: close` on errors, a
 * connection that is closed after every stream. Owns nothing beyond the exchange.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

import { EngineError } from './engine-error.ts';
import { bodyBytesMax } from './options.ts';

export interface ExchangeOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** This is the last request that the connection may carry. */
  readonly lastOnSocket: boolean;
}

interface TextOptions {
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const keepAlive = { 'Keep-Alive': 'timeout=5, max=100' };

export class Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Answered by a model behind a router: chunked whatever the length, as its proxy does it. */
  proxied = false;
  readonly #lastOnSocket: boolean;

  constructor({ request, response, lastOnSocket }: ExchangeOptions) {
    const url = new URL(request.url ?? '/', 'http://engine');
    this.method = request.method ?? 'GET';
    this.path = url.pathname;
    this.query = url.searchParams;
    this.request = request;
    this.response = response;
    this.#lastOnSocket = lastOnSocket || !response.shouldKeepAlive;
    // A client that left is noticed by `write`; there is nobody to tell.
    response.on('error', () => undefined);
  }

  get started(): boolean {
    return this.response.headersSent;
  }

  /** The whole body. Throws EngineError 413 beyond the limit, and whatever breaks the connection. */
  async body(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of this.request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bodyBytesMax) throw new EngineError(413, 'Payload Too Large');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  json(status: number, value: unknown): void {
    this.text(status, JSON.stringify(value), { type: 'application/json; charset=utf-8' });
  }

  text(status: number, text: string | Buffer, { type, headers = {} }: TextOptions): void {
    if (this.#gone() || this.started) return;
    const proxied = this.proxied && status < 400;
    const closes = status >= 400 || this.#lastOnSocket;
    this.#head(status, {
      headers: {
        ...headers,
        ...(proxied && { 'X-Accel-Buffering': 'no' }),
        'Content-Type': type,
        ...(proxied
          ? { 'Transfer-Encoding': 'chunked' }
          : { 'Content-Length': String(Buffer.byteLength(text)) }),
        ...(closes ? { Connection: 'close' } : keepAlive),
      },
      closes,
    });
    this.response.end(this.method === 'HEAD' ? undefined : text);
  }

  error(thrown: unknown): void {
    const error = thrown instanceof EngineError ? thrown : new EngineError(500, String(thrown));
    this.json(error.status, error.body);
  }

  /** Sends the head of an event stream. */
  startStream(): void {
    if (this.#gone() || this.started) return;
    this.#head(200, {
      headers: {
        'X-Accel-Buffering': 'no',
        'Content-Type': 'text/event-stream',
        'Transfer-Encoding': 'chunked',
        // llama-server promises this and yet closes the connection after every stream.
        ...keepAlive,
      },
      closes: true,
    });
    this.response.flushHeaders();
  }

  /** False when the client has left; that is the only way a stream notices. */
  write(text: string): boolean {
    if (this.#gone()) return false;
    if (text !== '') this.response.write(text);
    return true;
  }

  end(): void {
    if (!this.#gone()) this.response.end();
  }

  /** Breaks the connection. */
  destroy(): void {
    this.request.socket.destroy();
  }

  #head(status: number, { headers, closes }: { headers: Record<string, string>; closes: boolean }): void {
    const { origin } = this.request.headers;
    const response = this.response;
    response.sendDate = false;
    // Keeps node from adding its own Connection header; whether the connection closes is decided here.
    response.removeHeader('connection');
    response.shouldKeepAlive = !closes;
    response.writeHead(status, {
      Server: 'llama.cpp',
      'Access-Control-Allow-Origin': origin ?? '',
      ...(origin !== undefined && { 'Access-Control-Allow-Credentials': 'true' }),
      ...headers,
    });
  }

  #gone(): boolean {
    return this.response.destroyed || this.request.socket.destroyed || this.request.socket.writableEnded;
  }
}
