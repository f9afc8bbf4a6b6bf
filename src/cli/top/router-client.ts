/** The control API of a router as any outside client has it: readings, logs and a few verbs. Keeps nothing, retries nothing. */
import type { z } from 'zod';
import { errorAnswer, requestsAnswer, statusAnswer, type Reading } from './router-answers.ts';

/** What can be asked for by hand. */
export interface Action {
  readonly verb: 'load' | 'unload' | 'drain' | 'resume' | 'cancel';
  /** Of a model, a backend, or a request. */
  readonly id: string;
}

/** The router does not answer, or not as hoped; the message is for people. */
export class RouterFault extends Error {
  override readonly name = 'RouterFault';
}

/** Everything throws RouterFault, or the signal's reason once that is aborted. */
export interface RouterClient {
  read(signal: AbortSignal): Promise<Reading>;
  /** What the router has written last. */
  recentLog(signal: AbortSignal): Promise<string>;
  /** What was and what follows, in pieces as they come. Resolves when the router ends the stream. */
  followLog(source: LogSource, onText: (text: string) => void, signal: AbortSignal): Promise<void>;
  /** Resolves when it is done; an unload waits for the model to stop. */
  act(action: Action, signal: AbortSignal): Promise<void>;
}

export type LogSource = 'proxy' | 'upstream';

export interface RouterClientOptions {
  /** With the path that a proxy in front puts before all others. */
  readonly url: URL;
  readonly key: string | undefined;
  /** Default 5 s; streams and verbs have no limit. */
  readonly timeoutMs?: number;
}

const timeoutMsDefault = 5000;

export function createRouterClient(options: RouterClientOptions): RouterClient {
  const { url, timeoutMs = timeoutMsDefault } = options;
  const withinTime = (signal: AbortSignal) => AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const get = async <Schema extends z.ZodType>(path: string, schema: Schema, signal: AbortSignal) => {
    const body: unknown = await guarded(url, signal, async () =>
      (await request(options, path, { signal: withinTime(signal) })).json(),
    );
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    throw new RouterFault(`${url.href} does not answer as a router does`);
  };
  return {
    async read(signal) {
      const [status, requests] = await Promise.all([
        get('api/status', statusAnswer, signal),
        get('api/requests?limit=1', requestsAnswer, signal),
      ]);
      return { status, requests: [...requests.queued, ...requests.running] };
    },
    recentLog: (signal) =>
      guarded(url, signal, async () =>
        (await request(options, 'logs', { signal: withinTime(signal) })).text(),
      ),
    followLog: (source, onText, signal) =>
      guarded(url, signal, async () => {
        const { body } = await request(options, `logs/stream/${source}`, { signal });
        const decoder = new TextDecoder();
        for await (const bytes of body ?? []) onText(decoder.decode(bytes, { stream: true }));
      }),
    act: (action, signal) =>
      guarded(url, signal, async () => {
        await request(options, pathOf(action), { method: 'POST', signal });
      }),
  };
}

function pathOf({ verb, id }: Action): string {
  const name = encodeURIComponent(id);
  switch (verb) {
    case 'load':
      return `api/models/load/${name}?wait=false`;
    case 'unload':
      return `api/models/unload/${name}`;
    case 'drain':
    case 'resume':
      return `api/backends/${name}/${verb}`;
    case 'cancel':
      return `api/requests/${name}/cancel`;
  }
}

async function request(
  { url, key }: RouterClientOptions,
  path: string,
  init: { readonly method?: string; readonly signal: AbortSignal },
): Promise<Response> {
  const response = await fetch(new URL(path, url), {
    ...init,
    // The key must not go anywhere else.
    redirect: 'error',
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
  });
  if (response.ok) return response;
  if (response.status === 401) {
    await response.body?.cancel();
    const isMissing = key === undefined;
    throw new RouterFault(
      isMissing
        ? `${url.href} wants an API key: put it into LLAMERO_API_KEY, or name its variable with --key-env`
        : `${url.href} refuses the API key`,
    );
  }
  const parsed = errorAnswer.safeParse(await response.json().catch(() => undefined));
  throw new RouterFault(
    parsed.success ? parsed.data.error.message : `${url.href} answers with status ${response.status}`,
  );
}

/** Turns what `fetch` throws into words. */
async function guarded<Result>(url: URL, signal: AbortSignal, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RouterFault) throw error;
    throw new RouterFault(`No answer from ${url.href} (${reasonOf(error)})`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'took too long';
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
