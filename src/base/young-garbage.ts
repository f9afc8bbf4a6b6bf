/**
 * Has short-lived memory freed in time. V8 sees a large buffer as a small object: it would let them pile up until they are
 * too much, and then look through everything there is, which costs more than all the rest of carrying them.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { readonly type: 'minor' }) => void;

export class YoungGarbage {
  readonly #bytesMax: number;
  #bytes = 0;
  #collect: Collect | undefined;

  /** `bytesMax`: how much may pile up. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** So many bytes of buffers will be of no use soon. Takes a tenth of a millisecond each time that there are too many. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < this.#bytesMax) return;
    this.#bytes = 0;
    this.#collect ??= createCollect();
    this.#collect({ type: 'minor' });
  }
}

/**
 * The function is there only for those who ask for it, and in contexts that are made after that. The heap may double before
 * all of it is looked through: V8 counts buffers as a part of it, and on a busy machine lets it grow by a tenth only.
 */
function createCollect(): Collect {
  setFlagsFromString('--expose-gc');
  setFlagsFromString('--heap-growing-percent=100');
  const collect: unknown = runInNewContext('globalThis.gc');
  return typeof collect === 'function' ? (collect as Collect) : () => {};
}
