/**
 * A request for text, whoever's API it came in by: what every reader makes and every writer takes. Absent members were
 * not said by the client, and no writer makes values up for them.
 */
import type { DialectName } from '../dialect.ts';
import type { ImagePart, Message } from './parts.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** A tool that the client runs. */
export interface FunctionTool {
  readonly kind: 'function';
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments; absent = it takes none. */
  readonly parameters?: JsonObject;
  readonly strict?: boolean;
}

/** A tool of the client that takes free text (Responses: `type: custom`). */
export interface CustomTool {
  readonly kind: 'custom';
  readonly name: string;
  readonly description?: string;
  /** Grammar that the text must follow, as it came. */
  readonly format?: unknown;
}

/** A tool that the service itself would run (web search and the like). */
export interface BuiltinTool {
  readonly kind: 'builtin';
  readonly dialect: string;
  readonly type: string;
  readonly value: JsonObject;
}

export type Tool = FunctionTool | CustomTool | BuiltinTool;

export type ToolChoice =
  | { readonly kind: 'auto' | 'none' | 'required' }
  | { readonly kind: 'tool'; readonly name: string }
  /** Only these, by name; `required`: one of them must be called. */
  | { readonly kind: 'allowed'; readonly names: readonly string[]; readonly required: boolean };

export type OutputFormat =
  | { readonly kind: 'text' | 'json' }
  | {
      readonly kind: 'schema';
      readonly name?: string;
      readonly description?: string;
      readonly schema: JsonObject;
      readonly strict?: boolean;
    };

/** What the client wants of the model's thinking. */
export interface ReasoningWish {
  /** Absent = as the model does by itself. */
  readonly enabled?: boolean;
  /** `minimal`, `low`, `medium`, `high` and whatever else services invent. */
  readonly effort?: string;
  readonly budgetTokens?: number;
  /** How thoughts are to be summed up, as it came (Responses). */
  readonly summary?: string;
}

/** How the next token is chosen and when to stop. Counts and ratios as in the APIs that all share them. */
export interface Sampling {
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly minP?: number;
  readonly typicalP?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly repeatPenalty?: number;
  readonly repeatLastN?: number;
  readonly logitBias?: JsonObject;
  /** Log probabilities of the tokens are wanted. */
  readonly logprobs?: boolean;
  /** And of this many alternatives to each. */
  readonly topLogprobs?: number;
  /** Answers wanted; absent = 1. */
  readonly choices?: number;
}

interface RequestBase {
  /** The name that goes to the engine. */
  readonly model: string;
  readonly stream: boolean;
  /** A streaming client wants the usage at the end of its stream. Dialects whose streams always tell it: true. */
  readonly usageInStream: boolean;
  readonly sampling: Sampling;
  readonly format?: OutputFormat;
  readonly reasoning?: ReasoningWish;
  readonly user?: string;
  readonly metadata?: JsonObject;
  /** Ollama's `keep_alive`, as it came. */
  readonly keepAlive?: string | number;
  /** Ollama's `num_ctx`. */
  readonly contextTokens?: number;
  /** The API it came by. */
  readonly dialect: DialectName;
  /** Top-level members that this API has and no member of this record stands for: only its own writer passes them on. */
  readonly own: JsonObject;
  /** Members that the API does not know either: writers pass them on to engines that ignore what they do not know. */
  readonly extra: JsonObject;
  /** Members of the request, as they came, that answers of its API repeat (Responses); no other writer reads them. */
  readonly mirrored?: JsonObject;
}

/** A conversation. */
export interface ChatRequest extends RequestBase {
  readonly kind: 'chat';
  readonly messages: readonly Message[];
  readonly tools?: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  /** False: one tool call at a time. */
  readonly parallelToolCalls?: boolean;
  /** The client sent OpenAI's older `functions` and reads a call, one at most, from `function_call`. */
  readonly wantsFunctionCall?: true;
}

/** A text to go on with. */
export interface TextRequest extends RequestBase {
  readonly kind: 'text';
  /** One text, several of them, or token numbers, as the client sent it. */
  readonly prompt: string | readonly string[] | readonly number[] | readonly (readonly number[])[];
  /** What is to come after the answer (fill in the middle). */
  readonly suffix?: string;
  /** The answer begins with the prompt. */
  readonly echo?: boolean;
  /** Instructions that belong before the prompt (Ollama's `system`); never together with `raw`. */
  readonly system?: string;
  readonly images?: readonly ImagePart[];
  /** The prompt is for the model as it stands: no chat template is to be put around it. */
  readonly raw: boolean;
}

export type ModelRequest = ChatRequest | TextRequest;
