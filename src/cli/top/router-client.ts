/** The control API of a router as any outside client has it: readings, logs and a few verbs. Keeps nothing, retries nothing. */
import { text as textOf } from 'node:stream/consumers';
import type { z } from 'zod';
import { inWords, readJson, requestRouter, type RouterAddress } from '../router/router-request.ts';
import { requestsAnswer, statusAnswer, type Reading } from './router-answers.ts';

/** What can be asked for by hand. */
export interface Action {
  readonly verb: 'load' | 'unload' | 'drain' | 'resume' | 'cancel';
  /** Of a model, a backend, or a request. */
  readonly id: string;
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

export interface RouterClientOptions extends RouterAddress {
  /** Default 5 s; streams and verbs have no limit. */
  readonly timeoutMs?: number;
}

const timeoutMsDefault = 5000;

export function createRouterClient(options: RouterClientOptions): RouterClient {
  const { timeoutMs = timeoutMsDefault } = options;
  const withinTime = (signal: AbortSignal) => AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const get = <Schema extends z.ZodType>(path: string, schema: Schema, signal: AbortSignal) =>
    inWords(options, signal, async () =>
      readJson(options, await requestRouter(options, { path, signal: withinTime(signal) }), schema),
    );
  return {
    async read(signal) {
      const [status, requests] = await Promise.all([
        get('api/status', statusAnswer, signal),
        get('api/requests?limit=1', requestsAnswer, signal),
      ]);
      return { status, requests: [...requests.queued, ...requests.running] };
    },
    recentLog: (signal) =>
      inWords(options, signal, async () =>
        textOf(await requestRouter(options, { path: 'logs', signal: withinTime(signal) })),
      ),
    followLog: (source, onText, signal) =>
      inWords(options, signal, async () => {
        const answer = await requestRouter(options, { path: `logs/stream/${source}`, signal });
        answer.setEncoding('utf8');
        for await (const piece of answer as AsyncIterable<string>) onText(piece);
      }),
    act: (action, signal) =>
      inWords(options, signal, async () => {
        await textOf(await requestRouter(options, { method: 'POST', path: pathOf(action), signal }));
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
