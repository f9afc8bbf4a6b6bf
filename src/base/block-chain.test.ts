import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlockChain, blockBytes, closeReadBytes, longBlockBytes } from './block-chain.ts';
import type { Blocks } from './block-chain.ts';

function chainOf(bytes: Uint8Array): Blocks {
  const chain = new BlockChain(bytes);
  chain.add(0, bytes.length);
  return chain.finish();
}

function commonBlocks(one: Blocks, other: Blocks): number {
  let common = 0;
  while (common < one.ends.length && common < other.ends.length && sameBlock(one, other, common)) common += 1;
  return common;
}

function sameBlock(one: Blocks, other: Blocks, at: number): boolean {
  return one.hashes[2 * at] === other.hashes[2 * at] && one.hashes[2 * at + 1] === other.hashes[2 * at + 1];
}

const filled = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) & 255);

describe('a block chain', () => {
  test('of many parts has a block for each, and those of a shorter one first', () => {
    const bytes = filled(128 * 2000);
    const ofParts = (count: number): Blocks => {
      const chain = new BlockChain(bytes);
      for (let part = 0; part < count; part += 1) {
        chain.add(part * 128, (part + 1) * 128);
        chain.endPart();
      }
      return chain.finish();
    };
    const [few, many] = [ofParts(100), ofParts(2000)];
    expect(many.ends.length).toBe(2000);
    expect(many.hashes.length).toBe(4000);
    expect(commonBlocks(few, many)).toBe(100);
    expect(ofParts(2000)).toEqual(many);
  });

  test('of two texts agrees exactly up to the block in which they part, and nowhere after it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6000 }),
        fc.nat(5999),
        fc.integer({ min: 1, max: 255 }),
        (length, at, change) => {
          const one = filled(length);
          const other = filled(length);
          const place = at % length;
          other[place] = (other[place] ?? 0) ^ change;
          const [chain, changed] = [chainOf(one), chainOf(other)];
          expect(chain.ends.length).toBe(Math.floor(length / blockBytes));
          expect(commonBlocks(chain, changed)).toBe(
            Math.min(chain.ends.length, Math.floor(place / blockBytes)),
          );
          for (let later = Math.floor(place / blockBytes); later < chain.ends.length; later += 1) {
            expect(sameBlock(chain, changed, later)).toBe(false);
          }
        },
      ),
    );
  });

  test('does not depend on where the bytes lie, nor on how many of them come at a time', () => {
    fc.assert(
      fc.property(fc.nat(13), fc.integer({ min: 0, max: 3000 }), fc.nat(), (offset, length, cut) => {
        const text = filled(length);
        const moved = new Uint8Array(offset + length);
        moved.set(text, offset);
        const chain = new BlockChain(moved);
        // Four words are read at a time: only whole fours may be parted.
        const middle = offset + Math.floor((cut % (length + 1)) / 16) * 16;
        chain.add(offset, middle);
        chain.add(middle, offset + length);
        expect(chain.finish()).toEqual(chainOf(text));
      }),
    );
  });

  test('of a text that goes on begins with that of the text, at every end of a part', () => {
    const bytes = filled(4000);
    const parts = [200, 90, 700, 130, 1000] as const;
    const chainUpTo = (count: number): Blocks => {
      const chain = new BlockChain(bytes);
      let at = 0;
      for (const length of parts.slice(0, count)) {
        chain.mark(count === 0 ? 1 : 7);
        chain.add(at, at + length);
        chain.endPart();
        at += length;
      }
      return chain.finish();
    };
    const whole = chainUpTo(parts.length);
    expect([...whole.ends]).toEqual([200, 712, 990, 1120, 1632, 2120]);
    for (const count of parts.keys()) {
      const part = chainUpTo(count);
      expect(commonBlocks(part, whole)).toBe(part.ends.length);
    }
  });

  test('tells marks apart, and a text from one that is longer', () => {
    const bytes = filled(600);
    const marked = (mark: number): Blocks => {
      const chain = new BlockChain(bytes);
      chain.mark(mark);
      chain.add(0, 600);
      chain.endPart();
      return chain.finish();
    };
    expect(commonBlocks(marked(1), marked(2))).toBe(0);
    expect(commonBlocks(marked(1), marked(1))).toBe(1);
  });

  test('reads only the beginnings of blocks where much is the same already', () => {
    const length = closeReadBytes + 3 * longBlockBytes;
    const one = filled(length);
    const other = filled(length);
    other[closeReadBytes + longBlockBytes + blockBytes] = 99;
    const blocks = closeReadBytes / blockBytes;
    expect(chainOf(one).ends.length).toBe(blocks + 3);
    expect(commonBlocks(chainOf(one), chainOf(other))).toBe(blocks + 3);
    other[closeReadBytes + longBlockBytes + blockBytes - 1] = 99;
    expect(commonBlocks(chainOf(one), chainOf(other))).toBe(blocks + 1);
  });
});
