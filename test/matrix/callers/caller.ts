/** A client of the matrix: an official SDK that asks in its own API, and what it made of the answer. */
import type { TranslatableRoute } from '../../../src/domain/routes.ts';
import type { Asked, Call, Feature } from '../scenario.ts';

export interface Heard {
  readonly model: string | undefined;
  /** One for each choice. */
  readonly texts: readonly string[];
  readonly thought: string;
  readonly calls: readonly Call[];
  /** In the words of the API. */
  readonly end: string | undefined;
  readonly stoppedAt?: string | null | undefined;
  /** undefined = not told. */
  readonly usage: { readonly input: number; readonly output: number; readonly cached?: number } | undefined;
  /** Tokens of the first choice with their log probability, as `token:logprob:alternatives`. */
  readonly logprobs?: readonly string[];
}

/** What an SDK threw. */
export interface Failure {
  /** undefined = there was no error answer, or it came too late for a status. */
  readonly status: number | undefined;
  readonly message: string;
}

export interface Asking {
  /** Of the router. */
  readonly url: string;
  readonly model: string;
  readonly asked: Asked;
  readonly stream: boolean;
  readonly signal: AbortSignal;
  /** Told of each piece of text while it streams. */
  readonly onText: (text: string) => void;
  /** Told of the headers of the answer. */
  readonly fetch: typeof fetch;
}

export interface Caller {
  readonly title: string;
  readonly route: TranslatableRoute;
  /** Features that its API has. */
  readonly features: ReadonlySet<Feature>;
  /** Its words for the ends of an answer. */
  readonly ends: Readonly<Record<'stop' | 'length' | 'tools', string>>;
  /** Its API tells how much of the prompt was cached. */
  readonly hearsCached: boolean;
  /** A stream tells the usage only where asked to. */
  readonly asksForUsage: boolean;
  /** Asks for thoughts with a word for how many, as OpenAI's APIs do. */
  readonly namesEffort: boolean;
  /** Rejects as the SDK does. */
  ask(asking: Asking): Promise<Heard>;
  /** Reads what the SDK threw. */
  read(thrown: unknown): Failure;
}

export const logprobText = ({
  token,
  logprob,
  top_logprobs: top,
}: {
  token: string;
  logprob: number;
  top_logprobs?: readonly unknown[] | null;
}): string => `${token}:${logprob}:${top?.length ?? 0}`;
