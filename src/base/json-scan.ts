/**
 * Finds where the values of a JSON text are without building them: the members of an object, the elements of an array.
 * Structure is checked, so that text inside strings can never pass for structure; the inside of strings is not (control
 * characters, escapes): that is for whoever parses them. Never recurses, never throws, reads every byte at most once or twice.
 */
import { tryDecodeString } from './json-string.ts';
import { findStringEnd } from './string-end.ts';

export type JsonKind = 'string' | 'number' | 'object' | 'array' | 'true' | 'false' | 'null';

/** The bytes [start, end) of one value. */
export interface JsonSpan {
  readonly kind: JsonKind;
  readonly start: number;
  readonly end: number;
}

export interface JsonMember extends JsonSpan {
  /** Decoded. */
  readonly key: string;
  /** Where the key's opening quote is. */
  readonly keyStart: number;
}

export interface JsonObjectSpan {
  /** Index of `{`. */
  readonly open: number;
  /** Index of `}`. */
  readonly close: number;
  /** In the order of the text, duplicates included. */
  readonly members: readonly JsonMember[];
  /** To be given along when a part of the same bytes is scanned again. */
  readonly longStrings: LongStrings;
}

/** Where long strings of a text end, by where they begin: so that nobody reads them twice. In the order of the text. */
export type LongStrings = Map<number, number>;

const longBytesMin = 512;
/** Of a text that has no room for one. */
const noLongStrings: LongStrings = new Map();

/** Objects and arrays inside one another; deeper text is treated as malformed. */
const depthMax = 512;
/** Members of one object; more is no request and no answer, only a way to make us hold much. */
const membersMax = 4_096;

/** The object that is the whole text, a byte order mark and white space around it aside; undefined = it is not one. */
export function scanJsonObject(bytes: Buffer): JsonObjectSpan | undefined {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const open = skipBlanks(bytes, hasMark ? 3 : 0, bytes.length);
  const object = scanObjectAt(bytes, open, bytes.length);
  if (object === undefined) return undefined;
  return skipBlanks(bytes, object.close + 1, bytes.length) === bytes.length ? object : undefined;
}

/** The object that begins at `open`; what follows it up to `limit` is not looked at. */
export function scanObjectAt(
  bytes: Buffer,
  open: number,
  limit: number,
  longStrings: LongStrings = longStringsIn(limit - open),
): JsonObjectSpan | undefined {
  if (open >= limit || bytes[open] !== openBrace) return undefined;
  const members: JsonMember[] = [];
  let at = skipBlanks(bytes, open + 1, limit);
  if (at < limit && bytes[at] === closeBrace) return { open, close: at, members, longStrings };
  while (at < limit && members.length < membersMax) {
    const keyStart = at;
    const keyEnd = bytes[at] === quote ? skipString(bytes, at, limit, longStrings) : -1;
    if (keyEnd === -1) return undefined;
    const key = tryDecodeString(bytes, keyStart, keyEnd);
    const colon = skipBlanks(bytes, keyEnd, limit);
    if (key === undefined || colon >= limit || bytes[colon] !== colonByte) return undefined;
    const start = skipBlanks(bytes, colon + 1, limit);
    const kind = start < limit ? kindOf(bytes[start] ?? 0) : undefined;
    const end = kind === undefined ? -1 : skipValue(bytes, start, limit, longStrings);
    if (kind === undefined || end === -1) return undefined;
    members.push({ key, keyStart, kind, start, end });
    at = skipBlanks(bytes, end, limit);
    if (at >= limit) return undefined;
    if (bytes[at] === closeBrace) return { open, close: at, members, longStrings };
    if (bytes[at] !== comma) return undefined;
    at = skipBlanks(bytes, at + 1, limit);
  }
  return undefined;
}

/** Calls `visit` with each element of the array that `span` is, until it returns false. Returns false when the text up to there is malformed. */
export function scanArray(
  bytes: Buffer,
  span: { readonly start: number; readonly end: number },
  longStrings: LongStrings,
  visit: (element: JsonSpan) => boolean,
): boolean {
  const { start: open, end: limit } = span;
  if (open >= limit || bytes[open] !== openBracket) return false;
  let at = skipBlanks(bytes, open + 1, limit);
  if (at < limit && bytes[at] === closeBracket) return true;
  for (;;) {
    const value = scanValueAt(bytes, at, limit, longStrings);
    if (value === undefined) return false;
    if (!visit(value)) return true;
    at = skipBlanks(bytes, value.end, limit);
    if (at >= limit) return false;
    if (bytes[at] === closeBracket) return true;
    if (bytes[at] !== comma) return false;
    at = skipBlanks(bytes, at + 1, limit);
  }
}

/** The value that begins exactly at `start`; undefined = none, or malformed before `limit`. */
export function scanValueAt(
  bytes: Buffer,
  start: number,
  limit: number,
  longStrings: LongStrings = longStringsIn(limit - start),
): JsonSpan | undefined {
  if (start >= limit) return undefined;
  const kind = kindOf(bytes[start] ?? 0);
  if (kind === undefined) return undefined;
  const end = skipValue(bytes, start, limit, longStrings);
  return end === -1 ? undefined : { kind, start, end };
}

/** The last member with the key: what a parser would keep. */
export function lastMember(object: JsonObjectSpan, key: string): JsonMember | undefined {
  const { members } = object;
  for (let index = members.length - 1; index >= 0; index -= 1) {
    const member = members[index];
    if (member?.key === key) return member;
  }
  return undefined;
}

function longStringsIn(bytes: number): LongStrings {
  return bytes < longBytesMin ? noLongStrings : new Map();
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colonByte = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

function kindOf(byte: number): JsonKind | undefined {
  switch (byte) {
    case quote:
      return 'string';
    case openBrace:
      return 'object';
    case openBracket:
      return 'array';
    case 0x74:
      return 'true';
    case 0x66:
      return 'false';
    case 0x6e:
      return 'null';
    case 0x2d:
      return 'number';
    default:
      return isDigit(byte) ? 'number' : undefined;
  }
}

function skipBlanks(bytes: Buffer, from: number, limit: number): number {
  let at = from;
  while (at < limit) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    at += 1;
  }
  return at;
}

/** End of the value that begins at `at`; -1 = malformed or too deep. */
function skipValue(bytes: Buffer, at: number, limit: number, longStrings: LongStrings): number {
  const byte = bytes[at];
  return byte === openBrace || byte === openBracket
    ? skipNested(bytes, at, limit, longStrings)
    : skipScalar(bytes, at, limit, longStrings);
}

/** End of a string, number or literal; -1 = malformed. */
function skipScalar(bytes: Buffer, at: number, limit: number, longStrings: LongStrings): number {
  switch (bytes[at] ?? 0) {
    case quote:
      return skipString(bytes, at, limit, longStrings);
    case 0x74:
      return isWord(bytes, at, limit, 'true') ? at + 4 : -1;
    case 0x66:
      return isWord(bytes, at, limit, 'false') ? at + 5 : -1;
    case 0x6e:
      return isWord(bytes, at, limit, 'null') ? at + 4 : -1;
    default:
      return skipNumber(bytes, at, limit);
  }
}

/** Read here before it is worth looking for the end in larger steps: most strings are short. */
const closeLookBytes = 96;

function skipString(bytes: Buffer, open: number, limit: number, longStrings: LongStrings): number {
  const known = longStrings.size === 0 ? undefined : longStrings.get(open);
  if (known !== undefined && known <= limit) return known;
  const end = findEnd(bytes, open, limit);
  if (end - open >= longBytesMin) longStrings.set(open, end);
  return end;
}

function findEnd(bytes: Buffer, open: number, limit: number): number {
  let at = open + 1;
  const nearEnd = Math.min(limit, at + closeLookBytes);
  while (at < nearEnd) {
    const byte = bytes[at];
    if (byte === quote) return at + 1;
    at += byte === backslash ? 2 : 1;
  }
  return findStringEnd(bytes, at, limit);
}

function isWord(bytes: Buffer, at: number, limit: number, word: string): boolean {
  if (at + word.length > limit) return false;
  for (let index = 1; index < word.length; index += 1) {
    if (bytes[at + index] !== word.charCodeAt(index)) return false;
  }
  return true;
}

function skipNumber(bytes: Buffer, from: number, limit: number): number {
  let at = bytes[from] === 0x2d ? from + 1 : from;
  const first = at;
  at = skipDigits(bytes, at, limit);
  if (at === first || (bytes[first] === 0x30 && at > first + 1)) return -1;
  if (at < limit && bytes[at] === 0x2e) {
    const fraction = at + 1;
    at = skipDigits(bytes, fraction, limit);
    if (at === fraction) return -1;
  }
  if (at < limit && ((bytes[at] ?? 0) | 0x20) === 0x65) {
    at += 1;
    if (at < limit && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at += 1;
    const exponent = at;
    at = skipDigits(bytes, exponent, limit);
    if (at === exponent) return -1;
  }
  return at;
}

function skipDigits(bytes: Buffer, from: number, limit: number): number {
  let at = from;
  while (at < limit && isDigit(bytes[at] ?? 0)) at += 1;
  return at;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Closing bytes of the containers that are open, outermost first; one scan at a time, so it is shared. */
const closers = new Uint8Array(depthMax);

/** End of the object or array at `open`; -1 = malformed or too deep. */
function skipNested(bytes: Buffer, open: number, limit: number, longStrings: LongStrings): number {
  let depth = 0;
  let at = open;
  for (;;) {
    // A value begins at `at`.
    const byte = bytes[at];
    if (byte === openBrace || byte === openBracket) {
      if (depth === depthMax) return -1;
      const closer = byte === openBrace ? closeBrace : closeBracket;
      closers[depth] = closer;
      depth += 1;
      at = skipBlanks(bytes, at + 1, limit);
      if (at >= limit) return -1;
      if (bytes[at] !== closer) {
        at = skipToValue(bytes, at, limit, closer);
        if (at === -1) return -1;
        continue;
      }
    } else {
      at = skipScalar(bytes, at, limit, longStrings);
      if (at === -1) return -1;
      at = skipBlanks(bytes, at, limit);
    }
    // A value ended, or the container at `at` does.
    while (depth > 0 && at < limit && bytes[at] === closers[depth - 1]) {
      depth -= 1;
      at = depth === 0 ? at + 1 : skipBlanks(bytes, at + 1, limit);
    }
    if (depth === 0) return at;
    if (at >= limit || bytes[at] !== comma) return -1;
    at = skipToValue(bytes, skipBlanks(bytes, at + 1, limit), limit, closers[depth - 1] ?? 0);
    if (at === -1) return -1;
  }
}

/** Inside an object skips key and colon; returns where the value begins, -1 = there is none. */
function skipToValue(bytes: Buffer, from: number, limit: number, closer: number): number {
  if (from >= limit) return -1;
  if (closer === closeBracket) return from;
  if (bytes[from] !== quote) return -1;
  const keyEnd = findEnd(bytes, from, limit);
  if (keyEnd === -1) return -1;
  const colon = skipBlanks(bytes, keyEnd, limit);
  if (colon >= limit || bytes[colon] !== colonByte) return -1;
  const value = skipBlanks(bytes, colon + 1, limit);
  return value < limit ? value : -1;
}
