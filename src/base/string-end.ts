/**
 * Finds where a long JSON string ends, sixteen bytes at a time: a dozen lines of WebAssembly that look for the next quote or
 * backslash. Knows strings only, no JSON around them.
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
const v128 = 0x7b;

const finder = tryCreateFinder();

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

/**
 * The code of `find(at, end)`, an instruction or two a line. It returns the address of the first quote that no backslash
 * escapes, else `end`, or `end + 1` when the last byte escapes the one after it.
 */
function findCode(): number[] {
  const [at, end, mask, block] = [0, 1, 2, 3];
  const get = (local: number): number[] => [0x20, local];
  const set = (local: number): number[] => [0x21, local];
  const tee = (local: number): number[] => [0x22, local];
  const number = (value: number): number[] => [0x41, ...signed(value)];
  const [add, equal, greater, greaterOrEqual, isZero] = [[0x6a], [0x46], [0x4b], [0x4f], [0x45]];
  const [countTrailingZeros, select, giveBack, unreachable] = [[0x68], [0x1b], [0x0f], [0x00]];
  const [open, loop, then, done] = [[0x02, 0x40], [0x03, 0x40], [0x04, 0x40], [0x0b]];
  const branch = (depth: number): number[] => [0x0c, depth];
  const branchIf = (depth: number): number[] => [0x0d, depth];
  const loadByte = [...get(at), 0x2d, 0, 0];
  const loadSixteen = [...get(at), 0xfd, 0x00, 0, 0];
  const sixteenOf = (byte: number): number[] => [0xfd, 0x0c, ...Array<number>(16).fill(byte)];
  const [equalBytes, or, toMask] = [
    [0xfd, 0x23],
    [0xfd, 0x50],
    [0xfd, 0x64],
  ];
  const advance = (by: readonly number[]): number[] => [get(at), by, add, set(at)].flat();
  const returnAtQuote = [loadByte, number(quote), equal, then, get(at), giveBack, done].flat();
  return [
    [open, loop],
    // Fewer than sixteen left: one by one.
    [get(at), number(16), add, get(end), greater, branchIf(1)],
    // mask = which of the next sixteen are a quote or a backslash
    [loadSixteen, tee(block), sixteenOf(quote), equalBytes],
    [get(block), sixteenOf(backslash), equalBytes, or, toMask, tee(mask)],
    [isZero, then, advance(number(16)), branch(1), done],
    [advance([get(mask), countTrailingZeros].flat()), returnAtQuote],
    // A backslash and what it escapes.
    [advance(number(2)), branch(0)],
    [done, done],
    [loop],
    [get(at), get(end), greaterOrEqual, then, get(at), giveBack, done],
    [returnAtQuote],
    [advance([number(2), number(1), loadByte, number(backslash), equal, select].flat()), branch(0)],
    [done, unreachable, done],
  ].flat(2);
}

/** The module around the code: its memory is the window. */
function assemble(): Uint8Array {
  const magic = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const code = [2, 1, i32, 1, v128, ...findCode()];
  return Uint8Array.from(
    [
      magic,
      section(1, [1, 0x60, 2, i32, i32, 1, i32]),
      section(3, [1, 0]),
      section(5, [1, 0, windowBytesMax / 65_536]),
      section(7, [2, ...name('memory'), 2, 0, ...name('find'), 0, 0]),
      section(10, [1, ...unsigned(code.length), ...code]),
    ].flat(),
  );
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text)];
}

/** LEB128, up to two bytes. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 0x7f) | 0x80, value >> 7];
}

/** LEB128 of what is not negative, up to two bytes: the top bit of the last one would be the sign. */
function signed(value: number): number[] {
  return value < 64 ? [value] : [(value & 0x7f) | 0x80, value >> 7];
}
