/** How much of a prompt is known already: common prefixes, and the few prompts kept beside the slots. */
import { ramCacheCharactersMax, ramCacheEntriesMax } from './options.ts';

/** Characters at the start that both texts share. */
export function commonPrefix(one: string, other: string): number {
  const end = Math.min(one.length, other.length);
  let at = 0;
  while (at < end && one.charCodeAt(at) === other.charCodeAt(at)) at += 1;
  return at;
}

/** Prompts that lost their slot: the latest few, bounded by count and size. */
export class RamCache {
  #entries: string[] = [];

  add(text: string): void {
    if (text === '') return;
    // A longer text of the same beginning makes the shorter one useless.
    this.#entries = this.#entries.filter((entry) => !text.startsWith(entry));
    this.#entries.push(text);
    let characters = this.#entries.reduce((sum, entry) => sum + entry.length, 0);
    while (this.#entries.length > ramCacheEntriesMax || characters > ramCacheCharactersMax) {
      characters -= this.#entries.shift()?.length ?? 0;
    }
  }

  longestPrefix(prompt: string): number {
    return this.#entries.reduce((longest, entry) => Math.max(longest, commonPrefix(entry, prompt)), 0);
  }
}
