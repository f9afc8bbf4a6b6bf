/** How an engine's endpoint is spoken: the form of its requests, answers, streams and errors, each in one object. */
import type { EngineName } from '../../../src/domain/engine-names.ts';
import type { Call, Feature, Fields, Spoken } from '../scenario.ts';

/** What reached the engine, in no API's terms. */
export interface Arrived {
  readonly path: string;
  readonly model: unknown;
  readonly stream: boolean;
  readonly system: string;
  /** The text of the user, all pieces. */
  readonly text: string;
  readonly images: readonly string[];
  /** Of earlier turns of the assistant. */
  readonly calls: readonly Call[];
  readonly results: readonly { readonly id: string; readonly text: string }[];
  readonly tools: readonly { name: unknown; description: unknown; parameters: unknown }[];
  readonly schema: unknown;
  readonly stop: unknown;
  readonly maxTokens: unknown;
  readonly choices: unknown;
  readonly logprobs: boolean;
  readonly think: boolean;
}

export interface Answering {
  readonly engine: EngineName;
  readonly spoken: Spoken;
  readonly body: Fields;
  readonly id: string;
}

export interface Wire {
  readonly path: string;
  readonly streamType: 'text/event-stream' | 'application/x-ndjson';
  /** What its API can say. */
  readonly features: ReadonlySet<Feature>;
  /** Its answers tell how much of the prompt was cached. */
  readonly tellsCached: boolean;
  /** Ids of calls are its own, and come back with results. */
  readonly hasCallIds: boolean;
  /** A stream is asked for; Ollama's is where nothing is said. */
  isStream(body: Fields): boolean;
  read(body: Fields): Omit<Arrived, 'path' | 'model' | 'stream'>;
  whole(answering: Answering): Fields;
  /** Frames of the stream, its end included. */
  frames(answering: Answering): readonly string[];
  /** Frames of a stream up to the last word of its text. */
  beginning(answering: Answering): readonly string[];
  /** What the engine sends after those when it fails. */
  failure(answering: Answering, message: string): string;
  refusal(engine: EngineName, refusal: { status: number; message: string; kind: string }): Fields;
}

export const list = (value: unknown): readonly Fields[] => (Array.isArray(value) ? (value as Fields[]) : []);
export const object = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

/** A text in a few pieces that end in the middle of words. */
export function pieces(text: string): readonly string[] {
  const characters = Array.from(text);
  const size = Math.max(1, Math.ceil(characters.length / 3));
  const count = Math.ceil(characters.length / size);
  return Array.from({ length: count }, (_, index) =>
    characters.slice(index * size, (index + 1) * size).join(''),
  );
}

/** Tokens of a text as the engine claims them: words with their blanks. */
export function tokensOf(text: string): readonly string[] {
  return text.match(/\s*\S+\s*/g) ?? [];
}

/** Text of a content that is a string or a list of parts with `text`. */
export function textIn(content: unknown): string {
  if (typeof content === 'string') return content;
  return list(content)
    .map(({ text }) => (typeof text === 'string' ? text : ''))
    .join('');
}

export const sse = (data: unknown, event?: string): string =>
  `${event === undefined ? '' : `event: ${event}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

export const base64Of = (url: unknown): string => String(url).replace(/^data:image\/png;base64,/, '');
