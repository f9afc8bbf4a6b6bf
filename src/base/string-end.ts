/**
 * Finds where a long JSON string ends, sixty-four bytes at a time: some lines of WebAssembly that look for a quote that is not
 * escaped. Knows strings only, no JSON around them.
 */

/**
 * The offset after the closing quote; -1 = there is none before `limit`. `at` is inside the string and not within an
 * escape. The inside is not checked.
 */
export function findStringEnd(bytes: Buffer, at: number, limit: number): number {
  return (finder ?? findByByte)(bytes, at, limit);
}

const quote = 0x22;
const backslash = 0x5c;

/** What the module does, without it: its reference in tests, and what is left where there is no WebAssembly. */
export function findByByte(bytes: Buffer, from: number, limit: number): number {
  let at = from;
  while (at < limit) {
    const byte = bytes[at];
    if (byte === quote) return at + 1;
    at += byte === backslash ? 2 : 1;
  }
  return -1;
}

/** Copied in and looked through at a time: little at first, for most strings are not that long. */
const firstWindowBytes = 1024;
const windowBytesMax = 64 * 1024;

/** Types of values. */
const i32 = 0x7f;
const i64 = 0x7e;

/** The part of the global `WebAssembly` that is needed here. */
interface WebAssemblyApi {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => {
    readonly exports: {
      readonly find: (at: number, end: number) => number;
      readonly memory: { readonly buffer: ArrayBuffer };
    };
  };
}

function tryCreateFinder(): typeof findByByte | undefined {
  const { WebAssembly: api } = globalThis as { WebAssembly?: WebAssemblyApi };
  if (api === undefined) return undefined;
  const { find, memory } = new api.Instance(new api.Module(assemble())).exports;
  const window = new Uint8Array(memory.buffer);
  return (bytes, from, limit) => {
    let at = from;
    let room = firstWindowBytes;
    while (at < limit) {
      const filled = Math.min(room, limit - at);
      window.set(bytes.subarray(at, at + filled));
      const found = find(0, filled);
      if (found < filled) return at + found + 1;
      // One beyond the window: the first byte of the next one is escaped.
      at += found;
      room = Math.min(room * 4, windowBytesMax);
    }
    return -1;
  };
}

/** Instructions, and the values that they leave. */
type Code = readonly number[];

/**
 * The code of `find(at, end)`. It returns the address of the first quote that no backslash escapes, else `end`, or `end + 1`
 * when the last byte escapes the one after it. Sixty-four bytes a turn, one bit for each, and no branch but for a quote: in a
 * text with many escapes a branch for each would cost more than all the rest.
 */
function findCode(): Code {
  const [at, end, place, backslashes, follows, starts, sum, escaped, escapesNext, quotes] = locals;
  const readBackslashes = [
    // The first one may be escaped by the last byte of the turn before.
    ...set(backslashes, without(bitsOf(at, backslash), get(escapesNext))),
    ...set(follows, or(shiftLeft(get(backslashes), long(1n)), get(escapesNext))),
  ];
  // Of a run of backslashes every second place is escaped, up to the one behind it. To add its first bit to a run that begins
  // at an odd place clears it and sets the bit behind it, so that with both kinds of runs the even places are to be turned over.
  const findEscaped = [
    ...set(starts, and(without(get(backslashes), get(follows)), long(oddPlaces))),
    ...set(sum, add64(get(starts), get(backslashes))),
    ...set(escapesNext, isLess(get(sum), get(starts))),
    ...set(escaped, and(xor(long(evenPlaces), shiftLeft(get(sum), long(1n))), get(follows))),
  ];
  const ofQuote = add(get(at), wrap(firstBit(get(quotes))));
  const afterEnd = and(shiftRight(get(escaped), extend(subtract(get(end), get(at)))), long(1n));
  return [
    ...forEver([
      ...readBackslashes,
      ...findEscaped,
      ...set(quotes, without(bitsOf(at, quote), get(escaped))),
      // What lies behind the end is of another text.
      ...when(isNotZero(get(quotes)), [
        ...set(place, ofQuote),
        ...when(isGreater(get(end), get(place)), giveBack(get(place))),
      ]),
      ...set(at, add(get(at), number(64))),
      ...when(
        isAtLeast(get(at), get(end)),
        giveBack(add(get(end), wrap(either(get(escapesNext), afterEnd, equal(get(at), get(end)))))),
      ),
    ]),
    ...unreachable,
    ...done,
  ];
}

/** Three addresses, then bits of sixty-four bytes. */
const locals = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

const evenPlaces = 0x5555_5555_5555_5555n;
/** The others, as a signed number. */
const oddPlaces = ~evenPlaces;

/** One bit for each of sixty-four bytes, the first one lowest: whether it is this one. */
function bitsOf(at: number, byte: number): Code {
  const sixteen = (offset: number): Code => {
    const bytes = [...get(at), 0xfd, 0x00, 0, offset];
    const wanted = [0xfd, 0x0c, ...Array<number>(16).fill(byte)];
    const [equalBytes, toBits] = [
      [0xfd, 0x23],
      [0xfd, 0x64],
    ];
    const bits = extend([...bytes, ...wanted, ...equalBytes, ...toBits]);
    return offset === 0 ? bits : shiftLeft(bits, long(BigInt(offset)));
  };
  return or(or(sixteen(0), sixteen(16)), or(sixteen(32), sixteen(48)));
}

const binary =
  (operation: number) =>
  (one: Code, other: Code): Code => [...one, ...other, operation];
const unary =
  (operation: number) =>
  (value: Code): Code => [...value, operation];

const [add, subtract, equal] = [binary(0x6a), binary(0x6b), binary(0x46)];
const [isGreater, isAtLeast] = [binary(0x4b), binary(0x4f)];
const [add64, and, or, xor] = [binary(0x7c), binary(0x83), binary(0x84), binary(0x85)];
const [shiftLeft, shiftRight] = [binary(0x86), binary(0x88)];
const [firstBit, wrap, extend] = [unary(0x7a), unary(0xa7), unary(0xad)];
const get = (local: number): Code => [0x20, local];
const set = (local: number, value: Code): Code => [...value, 0x21, local];
const number = (value: number): Code => [0x41, ...signed(BigInt(value))];
const long = (value: bigint): Code => [0x42, ...signed(value)];
const without = (bits: Code, others: Code): Code => and(bits, xor(others, long(-1n)));
/** 64 bits, 1 where it is so; of numbers without a sign. */
const isLess = (one: Code, other: Code): Code => extend([...one, ...other, 0x54]);
const isNotZero = (value: Code): Code => [...value, 0x42, 0, 0x52];
const either = (one: Code, other: Code, isOne: Code): Code => [...one, ...other, ...isOne, 0x1b];
const done: Code = [0x0b];
const unreachable: Code = [0x00];
const when = (condition: Code, body: Code): Code => [...condition, 0x04, 0x40, ...body, ...done];
const giveBack = (value: Code): Code => [...value, 0x0f];
const forEver = (body: Code): Code => [0x03, 0x40, ...body, 0x0c, 0, ...done];

/** The module around the code: its memory is the window. */
function assemble(): Uint8Array {
  const magic = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const code = [2, 1, i32, 7, i64, ...findCode()];
  return Uint8Array.from(
    [
      magic,
      section(1, [1, 0x60, 2, i32, i32, 1, i32]),
      section(3, [1, 0]),
      // A turn reads up to sixty-three bytes beyond the window.
      section(5, [1, 0, windowBytesMax / 65_536 + 1]),
      section(7, [2, ...name('memory'), 2, 0, ...name('find'), 0, 0]),
      section(10, [1, ...unsigned(code.length), ...code]),
    ].flat(),
  );
}

function section(id: number, content: Code): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text)];
}

/** LEB128, up to two bytes. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 0x7f) | 0x80, value >> 7];
}

/** LEB128: the top bit of the last byte is the sign. */
function signed(value: bigint): number[] {
  const low = Number(value & 0x7fn);
  const rest = value >> 7n;
  return rest === (low < 64 ? 0n : -1n) ? [low] : [low | 0x80, ...signed(rest)];
}

/** Made last, of all that is above. */
const finder = tryCreateFinder();
