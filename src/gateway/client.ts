/**
 * The contract between the life of a request and whatever speaks HTTP to its client. Knows no sockets and no library:
 * the gateway sees a client through these two interfaces only. Names that mean the same as in node:http are the same.
 */
import type { LlameroError } from '../domain/errors.ts';

export interface ClientRequest {
  readonly method: string;
  /** The request target as received: origin form or absolute form, nothing decoded. */
  readonly url: string;
  /** As received, names and values alternating. `headerValue` finds one. */
  readonly rawHeaders: readonly string[];
  /** Of the connection; undefined = it is gone already. */
  readonly remoteAddress: string | undefined;
  /**
   * Reads the body once, bounded. Calls `done` once: with the whole body (empty where there is none), with
   * request_too_large, or never if the client leaves first, which the response's `onLeft` tells.
   */
  readBody(bytesMax: number, done: (error: LlameroError | undefined, body: Buffer) => void): void;
  /** Nobody needs the body any more: its memory may come to hold another one. */
  releaseBody(): void;
}

export interface ClientResponse {
  /** The status that was sent, 200 before. */
  readonly statusCode: number;
  /** `writeHead` was called: it is too late for another status. */
  readonly headersSent: boolean;
  /** `end` was called. */
  readonly writableEnded: boolean;
  /** The client reads slower than it is written to. */
  readonly writableNeedDrain: boolean;
  /** Adds a header to what `writeHead` will name, in place of one of that name that was added before. */
  setHeader(name: string, value: string): void;
  /** Begins the answer; once. Headers are names and values alternating; without a length the body is sent in chunks. */
  writeHead(status: number, headers: readonly string[]): void;
  /** Sends a piece of the body, text as UTF-8. False: the client reads slower than that; go on after `onDrain`. */
  write(chunk: Buffer | string): boolean;
  /** Ends the answer, with its last piece or without; once. */
  end(chunk?: Buffer | string): void;
  /** Closes the connection without the proper end of the body: what was written still goes out, for at most `flushMsMax`. */
  breakOff(flushMsMax: number): void;
  /** Calls once, when everything that was written is on its way. Where there are several, the last listener counts. */
  onDrain(listener: () => void): void;
  /** Calls the one listener when the connection is gone; after `end` that means nothing, and may come although nobody has left. */
  onLeft(listener: () => void): void;
}
