/**
 * Names for requests: random UUIDs (version 4). Those of node:crypto are put together of twenty texts, each of which is
 * memory for the time of the request; these are one text.
 */
import { randomFillSync } from 'node:crypto';
import type { RequestId } from '../domain/ids.ts';

const idBytes = 16;
/** Randomness is fetched for so many ids at a time. */
const idsAtATime = 256;
const random = Buffer.allocUnsafeSlow(idsAtATime * idBytes);
let used = random.length;

const digits = Buffer.from('0123456789abcdef');
const text = Buffer.from('xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx');
/** Where the two digits of each byte stand in the text. */
const places: readonly number[] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/** Unlike any other, and not to be guessed. */
export function newRequestId(): RequestId {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  for (let index = 0; index < idBytes; index += 1) {
    const at = places[index] ?? 0;
    const byte = marked(index, random[used + index] ?? 0);
    text[at] = digits[byte >> 4] ?? 0;
    text[at + 1] = digits[byte & 15] ?? 0;
  }
  used += idBytes;
  return text.toString('latin1');
}

/** RFC 9562 §5.4: version 4 in the seventh byte, variant 10 in the ninth. */
function marked(index: number, byte: number): number {
  if (index === 6) return (byte & 0x0f) | 0x40;
  return index === 8 ? (byte & 0x3f) | 0x80 : byte;
}
