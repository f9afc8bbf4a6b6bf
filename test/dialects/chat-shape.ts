/** What generated conversations may hold, so that a test asks for no more than its dialect can say. */
import type { DialectName } from '../../src/dialects/dialect.ts';
import type { DocumentPart, MediaSource } from '../../src/dialects/ir/parts.ts';
import type { OutputFormat, ReasoningWish, Sampling, ToolChoice } from '../../src/dialects/ir/request.ts';

/** What may occur; everything that a member does not forbid does. */
export interface ChatShape {
  readonly dialect: DialectName;
  /** Roles of the messages before the first user. None: []. */
  readonly systemRoles?: readonly ('system' | 'developer')[];
  /** How many of them there may be. Default 1. */
  readonly systemMessagesMax?: number;
  readonly userParts?: readonly ('text' | 'image' | 'audio' | 'document')[];
  readonly assistantParts?: readonly ('reasoning' | 'text' | 'refusal' | 'toolCall')[];
  readonly resultParts?: readonly ('text' | 'image' | 'document')[];
  /** Parts of one kind in one message, tool calls aside. Default 3. */
  readonly partsMax?: number;
  readonly imageSources?: readonly MediaSource['kind'][];
  /** Members of an image beside its source. */
  readonly imageDetail?: boolean;
  readonly documentSources?: readonly DocumentPart['source']['kind'][];
  readonly documentTitle?: boolean;
  /** What thoughts of earlier turns carry beside their text. */
  readonly reasoningProofs?: readonly ('signature' | 'encrypted')[];
  readonly resultMembers?: readonly ('name' | 'isError')[];
  readonly messageNames?: boolean;
  readonly tools?: readonly ('function' | 'custom')[];
  readonly toolMembers?: readonly ('description' | 'parameters' | 'strict')[];
  readonly toolChoices?: readonly ToolChoice['kind'][];
  readonly formats?: readonly OutputFormat['kind'][];
  /** Members of a schema format beside its schema. */
  readonly formatMembers?: readonly ('name' | 'description' | 'strict')[];
  readonly reasoning?: readonly (keyof ReasoningWish)[];
  readonly sampling?: readonly (keyof Sampling)[];
  readonly members?: readonly ('user' | 'metadata' | 'keepAlive' | 'contextTokens' | 'parallelToolCalls')[];
  /** Fixed where the dialect leaves no choice. */
  readonly usageInStream?: boolean;
}
