/**
 * Texts that outlive the larger text they were cut from. V8 makes a part by reference, so that a path would keep the whole
 * head of its request in memory, credentials included. Those that come again and again are copied once.
 */

const textsMax = 256;
const charsMax = 256;
const known = new Map<string, string>();

/** An equal text that stands for itself. Not for what no latin1 has: that is given back as it is. */
export function keptText(part: string): string {
  const found = known.get(part);
  if (found !== undefined) return found;
  const copy = Buffer.from(part, 'latin1').toString('latin1');
  if (copy !== part) return part;
  if (part.length > charsMax) return copy;
  if (known.size === textsMax) known.clear();
  known.set(copy, copy);
  return copy;
}
