/** Guesses how many tokens a prompt has, from its bytes alone. Only where bytes say something: a wrong guess refuses requests. */
import type { RouteName } from '../domain/routes.ts';

/** English text and code: about four bytes a token. Good enough for display and for "certainly too long". */
const bytesPerToken = 4;
/** One prompt each. The bodies of other routes hold many inputs that share no context (embeddings), or sounds and pictures. */
const singlePrompt: ReadonlySet<RouteName> = new Set(['chat-completions', 'messages', 'responses', 'infill']);
/** Signs of pictures, sounds and files within a body: OpenAI's and Anthropic's parts, llama.cpp's own. */
const mediaMarks = ['base64', 'input_audio', 'multimodal_data'];

/** 0 = unknown. */
export function estimateTokens(route: RouteName, body: Buffer): number {
  if (!singlePrompt.has(route) || mediaMarks.some((mark) => body.includes(mark))) return 0;
  return Math.ceil(body.length / bytesPerToken);
}
