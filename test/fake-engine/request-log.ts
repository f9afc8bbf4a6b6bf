/** What a fake engine saw and sent, request by request. */
import { createHash } from 'node:crypto';

/** Texts and answers beyond this are cut in the log (their hash and count are of the whole). */
const bytesKeptMax = 16 * 1024 * 1024;

export interface LoggedRequest {
  readonly index: number;
  /** Number of the connection, from 0, and which request on it this was, from 0. */
  readonly connection: number;
  readonly requestOnConnection: number;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** The head as it came, request line to blank line. */
  readonly rawHead: string;
  /** Names and values alternating, as sent. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly bodyBytes: number;
  readonly bodySha256: string;
  readonly startedEpochMs: number;
  /** The answer was complete, or the connection broke. Undefined = still running. */
  readonly endedEpochMs: number | undefined;
  /** The client's side of the connection ended before the answer did. */
  readonly clientLeftEpochMs: number | undefined;
  /** Kinds of the faults that hit it. */
  readonly faults: readonly string[];
  /** Every byte put on the wire for it, head and framing included, base64. */
  readonly responseBase64: string;
}

export class RequestEntry {
  readonly index: number;
  readonly connection: number;
  readonly requestOnConnection: number;
  readonly method: string;
  readonly path: string;
  readonly rawHead: string;
  readonly headers: readonly string[];
  readonly startedEpochMs = epochMs();
  endedEpochMs: number | undefined;
  clientLeftEpochMs: number | undefined;
  faults: readonly string[] = [];
  #body = Buffer.alloc(0);
  #response: Buffer[] = [];
  #responseBytes = 0;

  constructor(
    seen: Pick<
      LoggedRequest,
      'index' | 'connection' | 'requestOnConnection' | 'method' | 'path' | 'rawHead' | 'headers'
    >,
  ) {
    this.index = seen.index;
    this.connection = seen.connection;
    this.requestOnConnection = seen.requestOnConnection;
    this.method = seen.method;
    this.path = seen.path;
    this.rawHead = seen.rawHead;
    this.headers = seen.headers;
  }

  bodyRead(body: Buffer): void {
    this.#body = Buffer.from(body);
  }

  sent(bytes: Buffer): void {
    if (this.#responseBytes > bytesKeptMax) return;
    this.#responseBytes += bytes.length;
    this.#response.push(Buffer.from(bytes));
  }

  clientLeft(): void {
    if (this.endedEpochMs === undefined) this.clientLeftEpochMs ??= epochMs();
  }

  ended(): void {
    this.endedEpochMs ??= epochMs();
  }

  toJSON(): LoggedRequest {
    const { index, connection, requestOnConnection, method, path, rawHead, headers, faults } = this;
    return {
      index,
      connection,
      requestOnConnection,
      method,
      path,
      rawHead,
      headers,
      body: this.#body.subarray(0, bytesKeptMax).toString('utf8'),
      bodyBytes: this.#body.length,
      bodySha256: createHash('sha256').update(this.#body).digest('hex'),
      startedEpochMs: this.startedEpochMs,
      endedEpochMs: this.endedEpochMs,
      clientLeftEpochMs: this.clientLeftEpochMs,
      faults,
      responseBase64: Buffer.concat(this.#response).toString('base64'),
    };
  }
}

function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
