/** Reproducible random weights. */
import { createRandom } from '../../../src/base/random.ts';

export interface Draw {
  /** A normally distributed number around 0. */
  normal(deviation: number): number;
  /** So many of them. */
  normals(count: number, deviation: number): Float32Array;
}

export function createDraw(seed: number): Draw {
  const random = createRandom(seed);
  const normal = (deviation: number) => {
    const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
    return deviation * radius * Math.cos(2 * Math.PI * random.next());
  };
  return {
    normal,
    normals: (count, deviation) => Float32Array.from({ length: count }, () => normal(deviation)),
  };
}
