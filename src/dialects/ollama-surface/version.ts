/** Which Ollama the router says it is. Pure. */
import { lowestVersion } from './listing.ts';

/** The first Ollama with all three of OpenAI's and Anthropic's APIs that the router has, too: clients ask for no later one. */
export const ollamaVersionSpoken = '0.14.0';

/** Of these backends' versions the lowest, so that no client relies on what one of them lacks. */
export function ollamaVersion(versions: readonly string[]): string {
  return lowestVersion(versions) ?? ollamaVersionSpoken;
}
