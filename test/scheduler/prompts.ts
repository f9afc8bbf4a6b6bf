/** Prompts that are as easy to read as words: each letter stands for one block. */
import type { PromptChain } from '../../src/domain/prompt-chain.ts';

const bytesPerBlock = 512;

export function promptOf(text: string): PromptChain {
  const hashes: number[] = [];
  let high = 7;
  let low = 11;
  for (const letter of text) {
    high = Math.imul(high ^ letter.charCodeAt(0), 0x01000193) >>> 0;
    low = Math.imul(low ^ letter.charCodeAt(0), 0x85ebca6b) >>> 0;
    hashes.push(high, low);
  }
  const ends = Uint32Array.from({ length: text.length }, (_, at) => (at + 1) * bytesPerBlock);
  return { hashes: new Uint32Array(hashes), ends, bytes: text.length * bytesPerBlock };
}
