/** Randomness as a value that is passed in, so that a run with the same seed takes the same decisions. */

export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

/** A small seeded generator (mulberry32): fast, reproducible, not for secrets. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = state;
      mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    },
  };
}
