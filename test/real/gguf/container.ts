/** Writes the GGUF container (version 3): a list of keys, a list of tensors, the tensors' bytes. Knows no architecture. */
import { closeSync, ftruncateSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export type Metadata =
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly flag: boolean }
  | { readonly text: string }
  | { readonly texts: readonly string[] }
  | { readonly i32s: readonly number[] };

export interface Tensor {
  readonly name: string;
  /** Sizes, the fastest changing first. */
  readonly shape: readonly number[];
  readonly precision: 'f16' | 'f32';
  /** In memory order; undefined = all zero, which takes no room on disk. */
  readonly values: Float32Array | undefined;
}

export interface GgufContent {
  readonly metadata: Readonly<Record<string, Metadata>>;
  readonly tensors: readonly Tensor[];
}

const typeCodes = { u32: 4, i32: 5, f32: 6, flag: 7, text: 8, list: 9 };
const precisions = { f32: { code: 0, bytes: 4 }, f16: { code: 1, bytes: 2 } };
const alignment = 32;
const holeBytes = 4096;

/** Replaces the file as a whole, so that a reader never sees half of it. */
export function writeGguf(file: string, content: GgufContent): void {
  const head = encodeHead(content);
  const dataStart = aligned(head.length);
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  const descriptor = openSync(temporary, 'w');
  try {
    writeSync(descriptor, head);
    let offset = dataStart;
    for (const tensor of content.tensors) {
      if (tensor.values !== undefined) writeSparsely(descriptor, encodeValues(tensor), offset);
      offset += aligned(bytesOf(tensor));
    }
    ftruncateSync(descriptor, offset);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
}

/** The 16 bits of the nearest half-precision number. */
export function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65_520) return sign | 0x7c00;
  if (size === 0) return sign;
  // Below 2^-14 the exponent stays and the leading bit goes: the same sum then yields a subnormal number.
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  const steps = Math.round((size / 2 ** exponent) * 1024);
  return sign | (((exponent + 14) << 10) + steps);
}

function encodeHead({ metadata, tensors }: GgufContent): Buffer {
  const entries = Object.entries(metadata);
  const parts = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(entries.length)];
  for (const [key, value] of entries) parts.push(text(key), encodeMetadata(value));
  let offset = 0;
  for (const tensor of tensors) {
    parts.push(text(tensor.name), u32(tensor.shape.length), ...tensor.shape.map(u64));
    parts.push(u32(precisions[tensor.precision].code), u64(offset));
    offset += aligned(bytesOf(tensor));
  }
  return Buffer.concat(parts);
}

function encodeMetadata(value: Metadata): Buffer {
  if ('u32' in value) return Buffer.concat([u32(typeCodes.u32), u32(value.u32)]);
  if ('f32' in value) return Buffer.concat([u32(typeCodes.f32), f32(value.f32)]);
  if ('flag' in value) return Buffer.concat([u32(typeCodes.flag), Buffer.from([value.flag ? 1 : 0])]);
  if ('text' in value) return Buffer.concat([u32(typeCodes.text), text(value.text)]);
  if ('texts' in value) return encodeList(typeCodes.text, value.texts.map(text));
  return encodeList(typeCodes.i32, value.i32s.map(u32));
}

function encodeList(elementType: number, elements: readonly Buffer[]): Buffer {
  return Buffer.concat([u32(typeCodes.list), u32(elementType), u64(elements.length), ...elements]);
}

function encodeValues({ precision, values = new Float32Array() }: Tensor): Buffer {
  if (precision === 'f32') return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => bytes.writeUInt16LE(toHalf(value), index * 2));
  return bytes;
}

/** Blocks of zeros are left out: the file has holes there. */
function writeSparsely(descriptor: number, bytes: Buffer, start: number): void {
  for (let at = 0; at < bytes.length; at += holeBytes) {
    const block = bytes.subarray(at, at + holeBytes);
    if (block.some((byte) => byte !== 0)) writeSync(descriptor, block, 0, block.length, start + at);
  }
}

function bytesOf({ shape, precision }: Tensor): number {
  return shape.reduce((product, size) => product * size, precisions[precision].bytes);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([u64(bytes.length), bytes]);
}
