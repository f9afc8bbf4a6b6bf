/** Turns the bytes of one JSON string into its text. Where the string begins and ends is its caller's knowledge. */

const backslash = 0x5c;

/** The text of the string that [start, end) spans, quotes included; undefined = an escape or character is invalid. */
export function tryDecodeString(bytes: Buffer, start: number, end: number): string | undefined {
  if (end - start <= shortBytesMax) {
    const text = tryDecodeShort(bytes, start + 1, end - 1);
    if (text !== undefined) return text;
  }
  const hasEscape = bytes.subarray(start, end).includes(backslash);
  if (!hasEscape) return bytes.toString('utf8', start + 1, end - 1);
  try {
    return JSON.parse(bytes.toString('utf8', start, end)) as string;
  } catch {
    return undefined;
  }
}

/** Keys, roles and names of models repeat from body to body: the last of each kind are kept, so that they need no decoding. */
const shortBytesMax = 48;
const shortTexts: string[] = Array.from({ length: 256 }, () => '');

/** Undefined = not plain ASCII. */
function tryDecodeShort(bytes: Buffer, start: number, end: number): string | undefined {
  let hash = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === backslash || byte >= 0x80) return undefined;
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  const place = (hash ^ (hash >>> 8)) & 0xff;
  const known = shortTexts[place] ?? '';
  if (isText(bytes, start, end, known)) return known;
  const text = bytes.toString('latin1', start, end);
  shortTexts[place] = text;
  return text;
}

function isText(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (text.length !== end - start) return false;
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}
