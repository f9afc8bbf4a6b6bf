/** One run of `llamero models`: what was asked for, the router it is asked of, and how its verbs reach both. */
import type { IncomingMessage } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import type { z } from 'zod';
import type { LongRunningIo } from '../io.ts';
import {
  inWords,
  readJson,
  requestRouter,
  type RouterAddress,
  type RouterRequest,
} from '../router/router-request.ts';
import type { ModelsFlags } from './models-flags.ts';

export interface ModelsCall {
  readonly flags: ModelsFlags;
  readonly io: LongRunningIo;
  readonly router: RouterAddress;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

export type Asking = Omit<RouterRequest, 'signal'>;

/** Asks the router and lets `use` read the answer. Rejects with RouterFault, or the signal's reason. */
export function askRouter<Result>(
  { router, signal }: ModelsCall,
  asking: Asking,
  use: (response: IncomingMessage) => Promise<Result>,
): Promise<Result> {
  return inWords(router, signal, async () => use(await requestRouter(router, { ...asking, signal })));
}

export function askForJson<Schema extends z.ZodType>(
  call: ModelsCall,
  asking: Asking,
  schema: Schema,
): Promise<z.output<Schema>> {
  return askRouter(call, asking, (response) => readJson(call.router, response, schema));
}

/** The body has nothing to tell. */
export async function askToDo(call: ModelsCall, asking: Asking): Promise<void> {
  await askRouter(call, asking, textOf);
}

/** The path with what `--backends` and `--plan` add to it. */
export function pathWith({ flags: { backends, plan } }: ModelsCall, path: string): string {
  const query = new URLSearchParams();
  if (backends !== undefined) query.set('backends', backends.join(','));
  if (plan) query.set('plan', 'true');
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}

/** `text` for people, or with `--json` the value. */
export function print({ flags, io }: ModelsCall, value: unknown, text: string): void {
  io.stdout(flags.json ? `${JSON.stringify(value, undefined, 2)}\n` : text);
}

/** With `--json` what an Ollama says when it is done, else a sentence. */
export function printDone(call: ModelsCall, sentence: string): void {
  print(call, { status: 'success' }, `${sentence}\n`);
}
