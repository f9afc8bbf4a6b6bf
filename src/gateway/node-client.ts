/** A client behind node:http, as the rest of the gateway sees it. Adds nothing to what the library does. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ClientRequest, ClientResponse } from './client.ts';
import type { LlameroError } from '../domain/errors.ts';
import { readBody } from './read-body.ts';

export class NodeRequest implements ClientRequest {
  readonly #request: IncomingMessage;

  constructor(request: IncomingMessage) {
    this.#request = request;
  }

  get method(): string {
    return this.#request.method ?? 'GET';
  }

  get url(): string {
    return this.#request.url ?? '/';
  }

  get rawHeaders(): readonly string[] {
    return this.#request.rawHeaders;
  }

  get remoteAddress(): string | undefined {
    return this.#request.socket.remoteAddress;
  }

  readBody(bytesMax: number, done: (error: LlameroError | undefined, body: Buffer) => void): void {
    readBody(this.#request, bytesMax, done);
  }

  releaseBody(): void {
    // The library's memory is not ours to use again.
  }
}

export class NodeResponse implements ClientResponse {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
  }

  get statusCode(): number {
    return this.#response.statusCode;
  }

  get headersSent(): boolean {
    return this.#response.headersSent;
  }

  get writableEnded(): boolean {
    return this.#response.writableEnded;
  }

  get writableNeedDrain(): boolean {
    return this.#response.writableNeedDrain;
  }

  setHeader(name: string, value: string): void {
    this.#response.setHeader(name, value);
  }

  writeHead(status: number, headers: readonly string[]): void {
    this.#response.writeHead(status, headers as string[]);
  }

  write(chunk: Buffer | string): boolean {
    return this.#response.write(chunk);
  }

  end(chunk?: Buffer | string): void {
    this.#response.end(chunk);
  }

  breakOff(flushMsMax: number): void {
    const { socket } = this.#response;
    if (socket === null) {
      this.#response.destroy();
      return;
    }
    // node:http hands its last writes to the socket only after the current turn.
    setImmediate(() => socket.destroySoon());
    // A client that has stopped reading must not keep the socket.
    socket.setTimeout(flushMsMax, () => socket.destroy());
  }

  onDrain(listener: () => void): void {
    this.#response.once('drain', listener);
  }

  onLeft(listener: () => void): void {
    this.#response.once('close', listener);
    // node:http closes no answer that waits behind another one of its connection.
    if (this.#response.socket === null) this.#request.socket.once('close', listener);
  }
}
