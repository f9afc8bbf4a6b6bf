/**
 * A prompt as the scheduler sees it: the hashes of its beginnings, never its text. Prompts with an equal beginning have
 * equal first hashes, whatever comes later.
 */
export interface PromptChain {
  /** Two 32-bit halves per block; each hash covers everything from the start of the prompt to the end of its block. */
  readonly hashes: Uint32Array;
  /** Bytes of the prompt up to the end of each block, rising. */
  readonly ends: Uint32Array;
  /** Of the whole prompt: what follows the last block is too short for one. */
  readonly bytes: number;
}

/** What an engine said of a prompt that it has read. */
export interface PromptReport {
  /** Cached ones included; 0 = it did not say. */
  readonly tokens: number;
  /** Found in its cache; undefined = it does not tell. */
  readonly cachedTokens: number | undefined;
}
