/**
 * The way back: an engine's answer to the client, chunk by chunk and untouched. Holds the head until the first byte, so
 * that a backend that breaks during the prompt can still be replaced; reads usage on the side.
 */
import type { Clock } from '../base/clock.ts';
import { LlameroError } from '../domain/errors.ts';
import type { RouteName } from '../domain/routes.ts';
import type { RequestRecord } from '../store/request-record.ts';
import type { ClientResponse } from './client.ts';
import { tryBelieveTimings, tryBelieveUsage } from './credible-usage.ts';
import { errorEvent } from './error-response.ts';
import { headerValue } from './headers.ts';
import type { Route } from './routes.ts';
import { createUsageReader, type UsageReader } from './usage-reader.ts';

/** Routes whose streams have an end mark. A stream without it was cut, however cleanly the connection ended. */
const markedRoutes: ReadonlySet<RouteName> = new Set([
  'chat-completions',
  'completions',
  'native-completion',
  'infill',
  'responses',
  'messages',
  'ollama-chat',
  'ollama-generate',
]);

/** How long a client gets to read what was written before its answer broke off. */
const flushMsMax = 10_000;

const newline = 0x0a;

/** How a stream is cut into its parts; undefined = it is none. */
type Framing = 'events' | 'lines' | undefined;

export interface RelayHead {
  readonly status: number;
  /** Ready for the client. */
  readonly headers: readonly string[];
  /** See EngineKind.endsWithDone. */
  readonly doneRequired: boolean;
  /** Who knows what the answer says, where these are not the engine's own bytes; else they are read on the side. */
  readonly reader?: UsageReader | undefined;
}

export interface RelayOptions {
  readonly response: ClientResponse;
  readonly route: Route;
  readonly record: RequestRecord;
  readonly clock: Clock;
}

export class Relay {
  readonly #response: ClientResponse;
  readonly #route: Route;
  readonly #record: RequestRecord;
  readonly #clock: Clock;
  #status = 0;
  #headers: readonly string[] = [];
  #usage: UsageReader | undefined;
  #framing: Framing;
  #endIsJudged = false;
  #begun = false;
  #lastByte = newline;
  #byteBeforeLast = newline;

  constructor(options: RelayOptions) {
    this.#response = options.response;
    this.#route = options.route;
    this.#record = options.record;
    this.#clock = options.clock;
  }

  /** True from the first byte on: from then no other backend may answer. */
  get begun(): boolean {
    return this.#begun;
  }

  get status(): number {
    return this.#status;
  }

  /** Takes the head of the answer. Nothing is sent yet. */
  head({ status, headers, doneRequired, reader }: RelayHead): void {
    this.#status = status;
    this.#headers = headers;
    this.#framing = framingOf(headers);
    const { name, takesSlot } = this.#route;
    const isRead = status < 400 && takesSlot && name !== 'other';
    const isStream = this.#framing !== undefined;
    this.#endIsJudged = reader !== undefined || (isStream && markedRoutes.has(name));
    this.#usage =
      reader ?? (isRead ? createUsageReader({ route: name, stream: isStream, doneRequired }) : undefined);
  }

  /**
   * Sends a chunk on. False: the client reads slower than that; call again after the response's `drain`. With the last
   * one the client's answer is ended in the same write, except where the end of a stream has to be judged first.
   */
  push(chunk: Buffer, isLast: boolean): boolean {
    if (!this.#begun) this.#begin();
    const record = this.#record;
    record.bytesOut += chunk.length;
    record.chunksOut += 1;
    record.capture?.push(chunk);
    record.cache?.copy?.push(chunk);
    this.#usage?.push(chunk);
    const isStream = this.#framing !== undefined;
    if (isStream) this.#remember(chunk);
    if (!isLast || isStream) return this.#response.write(chunk);
    this.#response.end(chunk);
    return true;
  }

  /** The engine ended its answer. Returns why it counts as broken, or undefined after ending the client's answer too. */
  end(): LlameroError | undefined {
    const broken = this.#finishReading();
    if (broken !== undefined) return broken;
    if (!this.#begun) this.#begin();
    if (!this.#response.writableEnded) this.#response.end();
    return undefined;
  }

  /**
   * Ends an answer that has begun the hard way: an error event where the stream is between two events and has not told
   * of an error itself, then a connection that closes without the end of the body.
   */
  break(error: LlameroError, told: boolean): void {
    const response = this.#response;
    const between =
      this.#lastByte === newline && (this.#framing === 'lines' || this.#byteBeforeLast === newline);
    if (this.#framing !== undefined && between && !told)
      response.write(errorEvent(error, this.#route.dialect));
    response.breakOff(flushMsMax);
  }

  /** Takes what the usage reader has learnt into the record; for an answer that is cut on purpose, too. */
  settle(): void {
    this.#finishReading();
  }

  #begin(): void {
    this.#begun = true;
    this.#record.firstByteAtMs ??= this.#clock.nowMs();
    this.#record.phase = 'streaming';
    // A stream that has begun early has the router's head.
    this.#record.status = this.#response.headersSent ? this.#response.statusCode : this.#status;
    if (!this.#response.headersSent) this.#response.writeHead(this.#status, this.#headers);
  }

  #finishReading(): LlameroError | undefined {
    const result = this.#usage?.finish();
    this.#usage = undefined;
    if (result === undefined) return undefined;
    this.#record.usage = tryBelieveUsage(result.usage);
    this.#record.timings = tryBelieveTimings(result.timings);
    if (!this.#endIsJudged) return undefined;
    if (result.streamError !== undefined) {
      return new LlameroError(
        'backend_protocol',
        `The engine reported an error in its stream: ${result.streamError}`,
      );
    }
    if (result.complete) return undefined;
    return new LlameroError('backend_protocol', 'The stream ended without its end mark');
  }

  #remember(chunk: Buffer): void {
    const { length } = chunk;
    if (length === 0) return;
    this.#byteBeforeLast = length > 1 ? (chunk[length - 2] ?? 0) : this.#lastByte;
    this.#lastByte = chunk[length - 1] ?? 0;
    // A carriage return between two line feeds is part of the same blank line.
    if (this.#byteBeforeLast === 0x0d) this.#byteBeforeLast = newline;
  }
}

function framingOf(headers: readonly string[]): Framing {
  const type = headerValue(headers, 'content-type') ?? '';
  if (type.startsWith('text/event-stream')) return 'events';
  return type.startsWith('application/x-ndjson') ? 'lines' : undefined;
}
