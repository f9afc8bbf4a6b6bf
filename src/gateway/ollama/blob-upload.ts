/**
 * A file on its way to one backend. Uses node:http and not the pool of upstream sockets, which sends bodies that are whole:
 * this one is larger than memory.
 */
import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { BackendAnswer } from '../../dialects/ollama-surface/merge-answers.ts';
import type { Backend } from '../../engines/backend.ts';
import { upstreamPath } from '../target.ts';
import { headersFor } from './backends.ts';
import type { SurfaceCall } from './call.ts';

/** Longest error text that is kept. */
const textLengthMax = 64 * 1024;

export class BlobUpload {
  readonly #backend: string;
  readonly #request: ClientRequest;
  readonly #answer: Promise<BackendAnswer>;
  #isOver = false;

  /** Of the file that is the body of the call. */
  constructor(backend: Backend, call: SurfaceCall) {
    this.#backend = backend.id;
    const send = backend.url.protocol === 'https:' ? httpsRequest : httpRequest;
    this.#request = send(new URL(backend.url.origin), {
      method: 'POST',
      path: upstreamPath(backend, `/api/blobs/${call.rest}`),
      headers: pairsOf(headersFor(backend, { method: 'POST', call })),
    });
    this.#answer = this.#listen();
  }

  /** Resolves when it may be given more; at once when it has failed. Never rejects. */
  write(chunk: Buffer): Promise<void> {
    if (this.#isOver || this.#request.write(chunk)) return Promise.resolve();
    return new Promise((resolve) => {
      const go = (): void => {
        this.#request.off('drain', go);
        this.#request.off('close', go);
        resolve();
      };
      this.#request.on('drain', go);
      this.#request.on('close', go);
    });
  }

  /** After the last piece. */
  finish(): Promise<BackendAnswer> {
    if (!this.#isOver) this.#request.end();
    return this.#answer;
  }

  /** The backend gets no end, and keeps nothing. After its answer this does nothing. */
  abort(): void {
    if (!this.#isOver) this.#request.destroy();
  }

  #listen(): Promise<BackendAnswer> {
    return new Promise((resolve) => {
      const finish = (status: number, text: string): void => {
        this.#isOver = true;
        resolve({ backend: this.#backend, status, text });
      };
      this.#request.on('response', (response: IncomingMessage) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          if (text.length < textLengthMax) text += piece;
        });
        response.on('error', (error) => finish(0, error.message));
        response.on('end', () => {
          finish(response.statusCode ?? 0, text);
          // It has answered before it had everything.
          if (!this.#request.writableEnded) this.#request.destroy();
        });
      });
      this.#request.on('error', (error: NodeJS.ErrnoException) => finish(0, error.code ?? error.message));
      this.#request.on('close', () => finish(0, 'the connection was closed'));
    });
  }
}

function pairsOf(headers: readonly string[]): Readonly<Record<string, string>> {
  const pairs: Record<string, string> = {};
  for (let at = 0; at + 1 < headers.length; at += 2) pairs[headers[at] ?? ''] = headers[at + 1] ?? '';
  return pairs;
}
