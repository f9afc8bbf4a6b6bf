/** An engine's refusal, kept whole while another backend is tried, so that the client sees the truth if none helps. */
import { withoutHeader } from './headers.ts';

/** Refusals are short; what is longer is cut. */
const bytesMax = 256 * 1024;

export class ReplaceableAnswer {
  readonly status: number;
  readonly #headers: readonly string[];
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(status: number, headers: readonly string[]) {
    this.status = status;
    this.#headers = headers;
  }

  push(chunk: Buffer): void {
    if (this.#bytes + chunk.length > bytesMax) return;
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
  }

  body(): Buffer {
    return Buffer.concat(this.#chunks, this.#bytes);
  }

  /** The engine's headers with the length of what was kept. */
  get headers(): string[] {
    const headers = withoutHeader(this.#headers, 'content-length');
    headers.push('content-length', String(this.#bytes));
    return headers;
  }
}
