/** Simulated prompt caches of engines: what of a prompt they find, and what they give up for it. */

export interface PromptCache {
  /** How many first blocks of a prompt are there already when it starts; from now on its slot is in use. */
  start(blocks: readonly number[]): number;
  /** It was read. */
  read(blocks: readonly number[]): void;
  /** Its slot is free again. */
  end(blocks: readonly number[]): void;
}

export interface CacheKind {
  readonly name: string;
  create(slots: number): PromptCache;
}

/** One cache for all requests that forgets nothing. */
export const endlessCache: CacheKind = {
  name: 'one endless cache',
  create() {
    const known = new Set<number>();
    return {
      start: (blocks) => sharedBlocks(blocks, (block) => known.has(block)),
      read: (blocks) => {
        for (const block of blocks) known.add(block);
      },
      end: () => {},
    };
  },
};

interface Slot {
  blocks: readonly number[];
  isBusy: boolean;
  usedAt: number;
}

/** From this share of a prompt on llama-server prefers the slot that has it to the one that was unused for longest. */
const similarityMin = 0.1;

/**
 * A cache per slot, as of llama-server: the most similar idle slot is taken, else the least recently used. `ramBlocks`: room
 * for prompts that have left their slot.
 */
export function slotCaches(ramBlocks: number): CacheKind {
  return {
    name: ramBlocks === 0 ? 'a cache per slot' : `a cache per slot, ${ramBlocks} blocks beside`,
    create(count) {
      const slots: Slot[] = Array.from({ length: count }, () => ({ blocks: [], isBusy: false, usedAt: 0 }));
      let beside: (readonly number[])[] = [];
      let uses = 0;
      return {
        start(blocks) {
          const idle = slots.filter(({ isBusy }) => !isBusy);
          const slot = chooseSlot(idle, blocks);
          if (slot === undefined) throw new Error('No slot is idle');
          const kept = beside.reduce((best, one) => Math.max(best, common(one, blocks)), 0);
          const found = Math.max(kept, common(slot.blocks, blocks));
          if (ramBlocks > 0 && slot.blocks.length > 0) beside = trim([...beside, slot.blocks], ramBlocks);
          uses += 1;
          Object.assign(slot, { blocks, isBusy: true, usedAt: uses });
          return found;
        },
        read: () => {},
        end(blocks) {
          const slot = slots.find((one) => one.isBusy && one.blocks === blocks);
          if (slot !== undefined) slot.isBusy = false;
        },
      };
    },
  };
}

function chooseSlot(idle: readonly Slot[], blocks: readonly number[]): Slot | undefined {
  const similar = idle.toSorted((one, other) => common(other.blocks, blocks) - common(one.blocks, blocks))[0];
  if (similar !== undefined && common(similar.blocks, blocks) > similarityMin * blocks.length) return similar;
  return idle.toSorted((one, other) => one.usedAt - other.usedAt)[0];
}

/** Without the oldest, until the rest fits. */
function trim(prompts: readonly (readonly number[])[], blocksMax: number): (readonly number[])[] {
  let blocks = 0;
  const kept: (readonly number[])[] = [];
  for (const prompt of prompts.toReversed()) {
    blocks += prompt.length;
    if (blocks > blocksMax) break;
    kept.unshift(prompt);
  }
  return kept;
}

function common(one: readonly number[], other: readonly number[]): number {
  return sharedBlocks(other, (block, at) => one[at] === block);
}

function sharedBlocks(blocks: readonly number[], has: (block: number, at: number) => boolean): number {
  const missing = blocks.findIndex((block, at) => !has(block, at));
  return missing === -1 ? blocks.length : missing;
}
