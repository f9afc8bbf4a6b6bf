/**
 * One request to the HTTP API of a router, and what went wrong with it in words for people. Keeps nothing, retries
 * nothing, follows no redirect, and has no time limit of its own: a large model takes longer than any.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text as textOf } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { plainText } from '../top/text-width.ts';

/** The router does not answer, or not as hoped; the message is for people. */
export class RouterFault extends Error {
  override readonly name = 'RouterFault';
  /** Of its answer; undefined = none came, or it was no answer of a router. */
  readonly status: number | undefined;

  constructor(text: string, options: { readonly cause?: unknown; readonly status?: number } = {}) {
    super(text, options);
    this.status = options.status;
  }
}

export interface RouterAddress {
  /** With the path that a proxy in front puts before all others; ends with a slash. */
  readonly url: URL;
  readonly key: string | undefined;
}

export interface RouterRequest {
  /** Default GET. */
  readonly method?: string;
  /** Below the router's URL, without a slash in front. */
  readonly path: string;
  /** Sent as JSON. */
  readonly json?: object;
  /** Sent as it comes, in place of `json`. */
  readonly file?: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/** A text is made harmless for a terminal. */
const message = z.string().transform(plainText);
/** Ollama's form has the message alone. */
const errorAnswer = z.object({ error: z.union([message, z.object({ message })]) });

/** The answer once its head is there. Rejects with a RouterFault for any status but 2xx, with the signal's reason, or as node:http does. */
export async function requestRouter(address: RouterAddress, asked: RouterRequest): Promise<IncomingMessage> {
  const response = await send(address, asked);
  const { statusCode: status = 0 } = response;
  if (status >= 200 && status < 300) return response;
  const { href } = address.url;
  const parsed = errorAnswer.safeParse(tryParse(await textOf(response).catch(() => '')));
  if (status === 401) throw new RouterFault(keyFault(address), { status });
  if (status >= 300 && status < 400) throw new RouterFault(`No answer from ${href} (a redirect)`);
  if (!parsed.success) throw new RouterFault(`${href} answers with status ${status}`, { status });
  const { error } = parsed.data;
  throw new RouterFault(typeof error === 'string' ? error : error.message, { status });
}

/** Turns what fails on the way into a RouterFault. Throws the signal's reason once that is aborted. */
export async function inWords<Result>(
  { url }: RouterAddress,
  signal: AbortSignal,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RouterFault) throw error;
    throw new RouterFault(`No answer from ${url.href} (${reasonOf(error)})`, { cause: error });
  }
}

/** The whole body as JSON. @throws RouterFault when it does not fit: another program answers there. */
export async function readJson<Schema extends z.ZodType>(
  { url }: RouterAddress,
  response: IncomingMessage,
  schema: Schema,
): Promise<z.output<Schema>> {
  const parsed = schema.safeParse(JSON.parse(await textOf(response)));
  if (parsed.success) return parsed.data;
  throw new RouterFault(`${url.href} does not answer as a router does`);
}

function send({ url, key }: RouterAddress, asked: RouterRequest): Promise<IncomingMessage> {
  const { method = 'GET', path, json, file, signal } = asked;
  const target = new URL(path, url);
  const body = json === undefined ? undefined : JSON.stringify(json);
  return new Promise((resolve, reject) => {
    const open = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = open(target, {
      method,
      signal,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        }),
      },
    });
    request.once('response', resolve);
    request.on('error', (error) => reject(signal.aborted ? (signal.reason as Error) : error));
    if (file === undefined) request.end(body);
    // What breaks while it is sent shows in the request too, unless it is the file itself.
    else pipeline(file, request, { signal }).catch(reject);
  });
}

function keyFault({ url, key }: RouterAddress): string {
  return key === undefined
    ? `${url.href} wants an API key: put it into LLAMERO_API_KEY, or name its variable with --key-env`
    : `${url.href} refuses the API key`;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'took too long';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
