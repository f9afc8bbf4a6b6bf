/** Guesses how many tokens a prompt has, from its bytes alone. Only where bytes say something: a wrong guess refuses requests. */
import type { LongStrings } from '../base/json-scan.ts';
import type { RouteName } from '../domain/routes.ts';

/** English text and code: about four bytes a token. Good enough for display and for "certainly too long". */
const bytesPerToken = 4;
/** One prompt each. The bodies of other routes hold many inputs that share no context (embeddings), or sounds and pictures. */
const singlePrompt: ReadonlySet<RouteName> = new Set(['chat-completions', 'messages', 'responses', 'infill']);
/** Signs of pictures, sounds and files within a body: OpenAI's and Anthropic's parts, llama.cpp's own. */
const mediaMarks = ['base64', 'input_audio', 'multimodal_data'].map((mark) => Buffer.from(mark));

/** A data URL says what it is before its data, and other marks are short strings. */
const markedBytesMax = 128;

/** 0 = unknown. `longStrings` of the scanned body spare looking through long texts; without them all of it is looked at. */
export function estimateTokens(route: RouteName, body: Buffer, longStrings?: LongStrings): number {
  if (!singlePrompt.has(route)) return 0;
  let from = 0;
  for (const [start, end] of longStrings ?? []) {
    if (hasMark(body, from, start + markedBytesMax)) return 0;
    from = Math.max(from, end);
  }
  return hasMark(body, from, body.length) ? 0 : Math.ceil(body.length / bytesPerToken);
}

function hasMark(body: Buffer, start: number, end: number): boolean {
  const part = body.subarray(start, end);
  return mediaMarks.some((mark) => part.includes(mark));
}
