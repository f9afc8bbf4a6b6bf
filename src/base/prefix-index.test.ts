import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PrefixIndex } from './prefix-index.ts';
import type { PrefixLoan, PrefixOwner } from './prefix-index.ts';

/** Room for so many blocks. */
function indexOf(blocks: number): PrefixIndex {
  const index = new PrefixIndex({ bytesMax: blocks * 53 });
  expect(index.capacity).toBe(blocks);
  return index;
}

/** The hash of every beginning of a text of blocks. */
function pathOf(text: string): Uint32Array {
  const hashes: number[] = [];
  let high = 7;
  let low = 11;
  for (const block of text) {
    high = Math.imul(high ^ block.charCodeAt(0), 0x01000193) >>> 0;
    low = Math.imul(low ^ block.charCodeAt(0), 0x85ebca6b) >>> 0;
    hashes.push(high, low);
  }
  return Uint32Array.from(hashes);
}

function commonLength(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}

/** What is said here of every text: the longest common beginning with any that the owner has. */
class PlainList {
  texts: string[] = [];

  depthOf(text: string): number {
    return Math.max(0, ...this.texts.map((known) => commonLength(known, text)));
  }

  add(text: string): void {
    this.texts.push(text);
  }

  forgetAfter(text: string, depth: number): void {
    if (depth >= text.length) return;
    this.texts = this.texts.map((known) =>
      commonLength(known, text) > depth ? known.slice(0, depth) : known,
    );
  }
}

const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 9 });
const call = fc.oneof(
  fc.record({ do: fc.constant('add'), owner: fc.nat(2), text }),
  fc.record({ do: fc.constant('ask'), owner: fc.nat(2), text }),
  fc.record({ do: fc.constant('forget'), owner: fc.nat(2), text, depth: fc.nat(9) }),
  fc.record({ do: fc.constant('drop'), owner: fc.nat(2), text }),
);

describe('a prefix index', () => {
  test('tells the memory of the blocks that it holds, not of those it could hold', () => {
    const index = indexOf(5000);
    expect(index.bytes).toBe(0);
    index.add(index.createOwner(), pathOf('abc'));
    expect(index.bytes).toBe(3 * 53);
  });

  test('knows exactly the longest common beginning with all that an owner has, as a plain list does', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 80, size: 'max' }), (calls) => {
        const index = indexOf(5000);
        const owners = [0, 1, 2].map(() => ({ owner: index.createOwner(), list: new PlainList() }));
        for (const one of calls) {
          const known = owners[one.owner];
          if (known === undefined) throw new Error('No such owner');
          const path = pathOf(one.text);
          if (one.do === 'add') {
            index.add(known.owner, path);
            known.list.add(one.text);
          } else if (one.do === 'forget' && 'depth' in one) {
            index.forgetAfter(known.owner, path, one.depth);
            known.list.forgetAfter(one.text, one.depth);
          } else if (one.do === 'drop') {
            index.dropOwner(known.owner);
            owners[one.owner] = { owner: index.createOwner(), list: new PlainList() };
          }
          for (const { owner, list } of owners) {
            expect(index.depthOf(owner, path)).toBe(list.depthOf(one.text));
            expect(owner.blocks).toBe(countBlocks(list.texts));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('never holds more than its places, keeps what was used last whole, and promises nothing that was never there', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 9, max: 40 }),
        fc.array(fc.record({ owner: fc.nat(2), text, lends: fc.boolean() }), {
          maxLength: 200,
          size: 'max',
        }),
        (capacity, calls) => {
          const index = indexOf(capacity);
          const owners = [0, 1, 2].map(() => ({ owner: index.createOwner(), list: new PlainList() }));
          const loans: PrefixLoan[] = [];
          for (const one of calls) {
            const known = owners[one.owner];
            if (known === undefined) throw new Error('No such owner');
            const path = pathOf(one.text);
            const loan = one.lends ? index.lend(known.owner, path) : undefined;
            if (loan !== undefined) loans.push(loan);
            if (loans.length > 3) index.giveBack(loans.shift() as PrefixLoan);
            index.add(known.owner, path);
            known.list.add(one.text);
            expect(index.depthOf(known.owner, path)).toBe(one.text.length);
            expect(index.size).toBeLessThanOrEqual(capacity);
            for (const { owner, list } of owners) {
              expect(index.depthOf(owner, path)).toBeLessThanOrEqual(list.depthOf(one.text));
              expect(index.freeDepthOf(owner, path)).toBeLessThanOrEqual(index.depthOf(owner, path));
            }
            const held = owners.reduce((sum, { owner }) => sum + owner.blocks, 0);
            expect(held).toBe(index.size);
          }
          for (const loan of loans) index.giveBack(loan);
          for (const { owner, list } of owners) {
            for (const known of list.texts) {
              expect(index.freeDepthOf(owner, pathOf(known))).toBe(index.depthOf(owner, pathOf(known)));
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('forgets the leaf that was used least recently, and no beginning before what goes on from it', () => {
    const index = indexOf(6);
    const owner = index.createOwner();
    index.add(owner, pathOf('abc'));
    index.add(owner, pathOf('abd'));
    index.add(owner, pathOf('xy'));
    index.add(owner, pathOf('abc'));
    index.add(owner, pathOf('z'));
    expect(depths(index, owner, ['abc', 'abd', 'xy', 'z'])).toEqual([3, 2, 2, 1]);
    expect(owner.evicted).toBe(1);
    index.add(owner, pathOf('zz'));
    expect(depths(index, owner, ['abc', 'abd', 'xy', 'zz'])).toEqual([3, 2, 1, 2]);
  });

  test('keeps the beginning of a text that is longer than all its places', () => {
    const index = indexOf(4);
    const owner = index.createOwner();
    index.add(owner, pathOf('abcdefgh'));
    expect(index.depthOf(owner, pathOf('abcdefgh'))).toBe(4);
    index.add(owner, pathOf('abxxxxxx'));
    expect(depths(index, owner, ['abcd', 'abxx'])).toEqual([2, 4]);
  });

  test('does not offer a text that is lent, only what another one shares with it', () => {
    const index = indexOf(100);
    const owner = index.createOwner();
    index.add(owner, pathOf('sysA'));
    index.add(owner, pathOf('sysB'));
    const loan = index.lend(owner, pathOf('sysAmore'));
    expect(index.freeDepthOf(owner, pathOf('sysAmore'))).toBe(3);
    expect(index.depthOf(owner, pathOf('sysAmore'))).toBe(4);
    expect(index.lend(owner, pathOf('sysAelse'))).toBeUndefined();
    index.lend(owner, pathOf('sysB'));
    expect(index.freeDepthOf(owner, pathOf('sysC'))).toBe(0);
    if (loan !== undefined) index.giveBack(loan);
    expect(index.freeDepthOf(owner, pathOf('sysA'))).toBe(4);
  });

  test('does not forget what is lent', () => {
    const index = indexOf(100);
    const owner = index.createOwner();
    index.add(owner, pathOf('abcd'));
    const loan = index.lend(owner, pathOf('abcd'));
    expect(index.forgetAfter(owner, pathOf('abcd'), 1)).toBe(0);
    if (loan !== undefined) index.giveBack(loan);
    expect(index.forgetAfter(owner, pathOf('abcd'), 1)).toBe(3);
    expect(index.depthOf(owner, pathOf('abcd'))).toBe(1);
  });

  test('gives the places of a dropped owner to others', () => {
    const index = indexOf(4);
    const first = index.createOwner();
    index.add(first, pathOf('abcd'));
    index.dropOwner(first);
    const second = index.createOwner();
    expect(index.depthOf(second, pathOf('abcd'))).toBe(0);
    index.add(second, pathOf('wxyz'));
    expect(index.depthOf(second, pathOf('wxyz'))).toBe(4);
    expect([index.size, second.evicted]).toEqual([4, 0]);
  });
});

function depths(index: PrefixIndex, owner: PrefixOwner, texts: readonly string[]): number[] {
  return texts.map((one) => index.depthOf(owner, pathOf(one)));
}

function countBlocks(texts: readonly string[]): number {
  return new Set(texts.flatMap((one) => Array.from(one, (_block, at) => one.slice(0, at + 1)))).size;
}
