/**
 * What a message is made of, whoever's API it came in by. One kind of part for each thing that some dialect can say;
 * a dialect that cannot say it leaves it out and names it in its notes.
 */

/** Bytes in the message itself, or a place where the engine gets them. */
export type MediaSource =
  | { readonly kind: 'base64'; readonly mediaType: string; readonly data: string }
  | { readonly kind: 'url'; readonly url: string }
  /** A file that the engine's own service keeps. */
  | { readonly kind: 'file'; readonly id: string };

export interface TextPart {
  readonly kind: 'text';
  readonly text: string;
}

export interface ImagePart {
  readonly kind: 'image';
  readonly source: MediaSource;
  /** `low`, `high` or `auto`, where the client says. */
  readonly detail?: string;
}

export interface AudioPart {
  readonly kind: 'audio';
  /** Base64. */
  readonly data: string;
  /** `wav`, `mp3` and so on. */
  readonly format: string;
}

export interface DocumentPart {
  readonly kind: 'document';
  /** `text`: the document is its own text. */
  readonly source: MediaSource | { readonly kind: 'text'; readonly text: string };
  readonly title?: string;
}

/** What a model thought before it answered. */
export interface ReasoningPart {
  readonly kind: 'reasoning';
  readonly text: string;
  /** Proof of origin that some services want back unchanged. */
  readonly signature?: string;
  /** Thoughts that only the service which made them can read; the text is then empty. */
  readonly encrypted?: string;
}

export interface RefusalPart {
  readonly kind: 'refusal';
  readonly text: string;
}

export interface ToolCallPart {
  readonly kind: 'toolCall';
  /** Never empty: a reader makes one up where the API has none. */
  readonly id: string;
  readonly name: string;
  /** JSON text of an object; with `custom`, any text. */
  readonly arguments: string;
  /** A tool that takes free text instead of JSON. */
  readonly custom?: boolean;
}

export interface ToolResultPart {
  readonly kind: 'toolResult';
  readonly callId: string;
  /** Of the tool, where the API tells. */
  readonly name?: string;
  readonly parts: readonly (TextPart | ImagePart | DocumentPart)[];
  readonly isError?: boolean;
}

/** Something that only the API it came by can say (a citation block, a result of a service's own tool). */
export interface OpaquePart {
  readonly kind: 'opaque';
  readonly dialect: string;
  /** What it is called there, for notes on what was dropped. */
  readonly type: string;
  readonly value: unknown;
}

export type Part =
  | TextPart
  | ImagePart
  | AudioPart
  | DocumentPart
  | ReasoningPart
  | RefusalPart
  | ToolCallPart
  | ToolResultPart
  | OpaquePart;

export type Role = 'system' | 'developer' | 'user' | 'assistant' | 'tool';

/**
 * `tool` messages hold exactly one tool result and nothing else; tool calls, reasoning and refusals are in `assistant`
 * messages only. Order of messages and parts is that of the conversation.
 */
export interface Message {
  readonly role: Role;
  readonly parts: readonly Part[];
  /** Who among several of the same role. */
  readonly name?: string;
}
