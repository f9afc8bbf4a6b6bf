/** Vectors of texts: how alike two of them are, how they are mixed and how they are written down. Pure. */

/** The nearest one. */
export interface Nearest<Kept> {
  readonly kept: Kept;
  /** From -1 to 1. */
  readonly similarity: number;
}

/** 1 = the same direction, 0 = nothing in common, or nothing at all. @throws RangeError for vectors of two models */
export function cosine(one: Float32Array, other: Float32Array): number {
  if (one.length !== other.length) {
    throw new RangeError(`A vector of ${one.length} numbers cannot be compared with one of ${other.length}`);
  }
  let [product, ofOne, ofOther] = [0, 0, 0];
  for (let index = 0; index < one.length; index += 1) {
    const [left, right] = [one[index] ?? 0, other[index] ?? 0];
    product += left * right;
    ofOne += left * left;
    ofOther += right * right;
  }
  const lengths = Math.sqrt(ofOne) * Math.sqrt(ofOther);
  return lengths === 0 ? 0 : product / lengths;
}

/** The most similar one from the threshold on; those of another length are left out: another model has made them. */
export function findNearest<Kept extends { readonly vector: Float32Array }>(
  among: Iterable<Kept>,
  vector: Float32Array,
  threshold: number,
): Nearest<Kept> | undefined {
  let nearest: Nearest<Kept> | undefined;
  for (const kept of among) {
    if (kept.vector.length !== vector.length) continue;
    const similarity = cosine(kept.vector, vector);
    if (similarity >= threshold && similarity > (nearest?.similarity ?? -2)) nearest = { kept, similarity };
  }
  return nearest;
}

/** Of length 1; undefined = it has none, or holds what is no number. */
export function tryNormalise(values: Iterable<number>): Float32Array | undefined {
  const vector = Float32Array.from(values);
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  if (!Number.isFinite(length) || length === 0) return undefined;
  return vector.map((value) => value / length);
}

/** `weight` of the first and the rest of the second, of length 1; undefined = they cancel each other out. @throws RangeError */
export function tryMix(one: Float32Array, other: Float32Array, weight: number): Float32Array | undefined {
  if (one.length !== other.length) throw new RangeError('Vectors of different lengths cannot be mixed');
  return tryNormalise(one.map((value, index) => weight * value + (1 - weight) * (other[index] ?? 0)));
}

/** Little-endian, four bytes each. */
export function vectorBytes(vector: Float32Array): Uint8Array {
  const bytes = new Uint8Array(vector.length * numberBytes);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of vector.entries()) view.setFloat32(index * numberBytes, value, true);
  return bytes;
}

export function toVector(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Math.floor(bytes.byteLength / numberBytes);
  return Float32Array.from({ length }, (_, index) => view.getFloat32(index * numberBytes, true));
}

const numberBytes = 4;
