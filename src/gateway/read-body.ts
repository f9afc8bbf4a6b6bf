/** Reads a request's body once, bounded. The only place that holds a client's bytes before they go out. */
import type { IncomingMessage } from 'node:http';
import { LlameroError } from '../domain/errors.ts';

const empty = Buffer.alloc(0);

/**
 * Calls `done` once: with the whole body, with request_too_large, or never if the client leaves first (the response's
 * `close` event tells that). Callbacks, not a promise: this runs for every request.
 */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
  done: (error: LlameroError | undefined, body: Buffer) => void,
): void {
  const declared = request.headers['content-length'];
  if (declared === undefined && request.headers['transfer-encoding'] === undefined) {
    done(undefined, empty);
    return;
  }
  if (declared !== undefined && Number(declared) > bytesMax) {
    done(bodyTooLarge(Number(declared), bytesMax), empty);
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  let settled = false;
  request.on('data', (chunk: Buffer) => {
    if (settled) return;
    bytes += chunk.length;
    if (bytes > bytesMax) {
      settled = true;
      chunks.length = 0;
      done(bodyTooLarge(bytes, bytesMax), empty);
      return;
    }
    chunks.push(chunk);
  });
  request.on('end', () => {
    if (settled) return;
    settled = true;
    const [first] = chunks;
    done(undefined, chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, bytes));
  });
}

export function bodyTooLarge(bytes: number, bytesMax: number): LlameroError {
  return new LlameroError(
    'request_too_large',
    `Body of at least ${bytes} bytes is larger than limits.body (${bytesMax} bytes)`,
  );
}
