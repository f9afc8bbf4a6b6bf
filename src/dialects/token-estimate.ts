/**
 * Guesses how many tokens a request's prompt has, for clients that ask to have it counted where no tokeniser can be asked.
 * Compared with two byte-pair vocabularies of 100,000 and 200,000 tokens: prose, code and JSON in Latin letters within an
 * eighth, tables and logs up to a fifth too high, other scripts between the two vocabularies. Pictures are a flat guess.
 */
import type { DocumentPart, MediaSource, Message, Part } from './ir/parts.ts';
import type { ModelRequest, Tool } from './ir/request.ts';

/** What templates put around a message: its role and the marks of its begin and end. */
const tokensPerMessage = 4;
/** What templates write around a tool's definition. */
const tokensPerTool = 8;
/** Of the template itself, once. */
const tokensPerRequest = 3;
/** A picture of about a megapixel. Its size is not looked at. */
const tokensPerImage = 1000;
/** A page of a PDF: some 50 KB and 1500 tokens. */
const bytesPerDocumentToken = 33;
const tokensPerUnknownDocument = 1500;
/** Speech: 16 kHz, 16 bit, 25 tokens a second. */
const bytesPerAudioToken = 1280;

/** A whole number, at least 1. Counts system prompt, messages, calls, results, tools and pictures. */
export function estimateInputTokens(request: ModelRequest): number {
  const tokens =
    request.kind === 'chat' ? ofMessages(request.messages) + ofTools(request.tools ?? []) : ofText(request);
  const format = request.format?.kind === 'schema' ? ofJson(request.format.schema) : 0;
  return Math.max(1, Math.ceil(tokensPerRequest + tokens + format));
}

/** Of one message in a conversation; a fraction. */
export function estimateMessageTokens({ parts }: Message): number {
  return tokensPerMessage + ofParts(parts);
}

const letter = 0;
const capital = 1;
const digit = 2;
const sign = 3;
const lineEnd = 4;
const blank = 5;

// Fitted to sources and pages of this project and of libraries. Blanks belong to the words after them.
/** What a character of each kind adds. */
const each = [0.035, 0.7, 0.35, 0.11, 0, 0] as const;
/** What it adds besides when a run of its kind begins with it. */
const first = [0.76, 0.76, 0.95, 0.75, 1, 0] as const;

/** A fraction: the sum over many texts is to be rounded once. */
export function estimateTextTokens(text: string): number {
  let tokens = 0;
  let last = blank;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const kind = code < 128 ? (asciiKinds[code] ?? sign) : blank;
    if (code >= 128) tokens += weightOf(code);
    else tokens += (each[kind] ?? 0) + (isRunOf(kind, last) ? 0 : (first[kind] ?? 0));
    last = kind;
  }
  return tokens;
}

/** A word goes on after a capital. */
function isRunOf(kind: number, last: number): boolean {
  return kind === last || (kind <= capital && last <= capital);
}

const asciiKinds = Uint8Array.from({ length: 128 }, (_, code) => kindOf(code));

function kindOf(code: number): number {
  if (code >= 0x61 && code <= 0x7a) return letter;
  if (code >= 0x41 && code <= 0x5a) return capital;
  if (code >= 0x30 && code <= 0x39) return digit;
  if (code === 0x20 || code === 0x09) return blank;
  return code === 0x0a ? lineEnd : sign;
}

/** Characters beyond ASCII, by script. */
function weightOf(code: number): number {
  // Latin with marks, in the middle of words.
  if (code < 0x250) return 0.4;
  // Greek and Cyrillic.
  if (code < 0x590) return 0.38;
  // Hebrew, Arabic.
  if (code < 0x900) return 0.55;
  // Scripts of India and of the southeast of Asia.
  if (code < 0x1100) return 0.6;
  // Dashes, quotes, arrows.
  if (code < 0x3000) return 1;
  if (code < 0x3100) return 0.75;
  // Korean.
  if (code >= 0xac00 && code < 0xd7a4) return 0.75;
  // Half of a pair: emoji, mostly.
  if (code >= 0xd800 && code < 0xe000) return 1;
  // Chinese characters.
  return 0.95;
}

function ofText({
  system = '',
  prompt,
  suffix = '',
  images = [],
}: Extract<ModelRequest, { kind: 'text' }>): number {
  const around = estimateTextTokens(system) + estimateTextTokens(suffix) + images.length * tokensPerImage;
  if (typeof prompt === 'string') return around + estimateTextTokens(prompt);
  return prompt.reduce<number>((sum, piece) => sum + ofPiece(piece), around);
}

/** A text, a token, or several tokens. */
function ofPiece(piece: string | number | readonly number[]): number {
  if (typeof piece === 'string') return estimateTextTokens(piece);
  return typeof piece === 'number' ? 1 : piece.length;
}

function ofMessages(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + estimateMessageTokens(message), 0);
}

function ofParts(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + ofPart(part), 0);
}

function ofPart(part: Part): number {
  switch (part.kind) {
    case 'text':
    case 'refusal':
    case 'reasoning':
      return estimateTextTokens(part.text);
    case 'image':
      return tokensPerImage;
    case 'audio':
      return bytesOf(part.data) / bytesPerAudioToken;
    case 'document':
      return ofDocument(part);
    case 'toolCall':
      return tokensPerMessage + estimateTextTokens(part.name) + estimateTextTokens(part.arguments);
    case 'toolResult':
      return ofParts(part.parts);
    case 'opaque':
      return ofJson(part.value);
  }
}

function ofDocument({ source, title = '' }: DocumentPart): number {
  const text = source.kind === 'text' ? estimateTextTokens(source.text) : ofFile(source);
  return estimateTextTokens(title) + text;
}

function ofFile(source: MediaSource): number {
  return source.kind === 'base64' ? bytesOf(source.data) / bytesPerDocumentToken : tokensPerUnknownDocument;
}

function bytesOf(base64: string): number {
  return base64.length * 0.75;
}

function ofTools(tools: readonly Tool[]): number {
  return tools.reduce((sum, tool) => sum + tokensPerTool + ofTool(tool), 0);
}

function ofTool(tool: Tool): number {
  if (tool.kind === 'builtin') return ofJson(tool.value);
  const schema = tool.kind === 'function' ? ofJson(tool.parameters ?? {}) : ofJson(tool.format ?? '');
  return estimateTextTokens(tool.name) + estimateTextTokens(tool.description ?? '') + schema;
}

/** 0 for what nests too deep to be written. */
function ofJson(value: unknown): number {
  try {
    return estimateTextTokens(JSON.stringify(value) ?? '');
  } catch {
    return 0;
  }
}
