import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TailBuffer } from './tail-buffer.ts';

test('a tail buffer has the last bytes of all chunks, however they are cut', () => {
  const lengths = fc.array(fc.oneof(fc.nat(40), fc.nat(3000)), { maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), lengths, (bytesMax, chunkLengths) => {
      const tail = new TailBuffer(bytesMax);
      let all = Buffer.alloc(0);
      for (const [index, length] of chunkLengths.entries()) {
        const chunk = Buffer.alloc(length, index + 1);
        tail.push(chunk);
        all = Buffer.concat([all, chunk]);
        expect(tail.bytes().equals(all.subarray(-bytesMax))).toBe(true);
      }
    }),
  );
});
