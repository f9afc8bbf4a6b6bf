/**
 * The bodies of one request on their way into the capture cache. The answer is copied as it flows: a reference to a few
 * bytes would keep the whole buffer alive that they were read into.
 */

/** What all running requests together may hold. */
export interface DraftBudget {
  bytesMax: number;
  bytes: number;
}

/** Which parts of a path's requests are kept. */
export interface CaptureMask {
  readonly requestBody: boolean;
  readonly responseBody: boolean;
}

export interface CapturedBodies {
  readonly request: Buffer;
  readonly response: Buffer;
  /** Memory that both take. */
  readonly bytes: number;
}

const empty = Buffer.alloc(0);
const roomMin = 1024;

export class CaptureDraft {
  readonly #mask: CaptureMask;
  readonly #budget: DraftBudget;
  #request: Buffer = empty;
  #response: Buffer = empty;
  #responseBytes = 0;
  /** Taken from the budget. */
  #taken = 0;
  #dropped = false;

  constructor(mask: CaptureMask, budget: DraftBudget) {
    this.#mask = mask;
    this.#budget = budget;
  }

  request(body: Buffer): void {
    if (this.#mask.requestBody && this.#take(body.length)) this.#request = body;
  }

  /** One piece of the answer's body. */
  push(chunk: Buffer): void {
    if (this.#dropped || !this.#mask.responseBody) return;
    const wanted = this.#responseBytes + chunk.length;
    if (wanted > this.#response.length && !this.#grow(wanted)) return;
    chunk.copy(this.#response, this.#responseBytes);
    this.#responseBytes = wanted;
  }

  /** Gives what was collected away, once; undefined: it was more than there is room for. */
  take(): CapturedBodies | undefined {
    const bodies = this.#dropped
      ? undefined
      : {
          request: this.#request,
          response: this.#response.subarray(0, this.#responseBytes),
          bytes: this.#taken,
        };
    this.drop();
    return bodies;
  }

  /** Forgets everything. */
  drop(): void {
    this.#dropped = true;
    this.#budget.bytes -= this.#taken;
    this.#taken = 0;
    this.#request = empty;
    this.#response = empty;
  }

  #grow(wanted: number): boolean {
    const room = Math.max(roomMin, wanted, 2 * this.#response.length);
    if (!this.#take(room - this.#response.length)) return false;
    const larger = Buffer.allocUnsafe(room);
    this.#response.copy(larger, 0, 0, this.#responseBytes);
    this.#response = larger;
    return true;
  }

  #take(bytes: number): boolean {
    if (this.#dropped) return false;
    if (this.#budget.bytes + bytes > this.#budget.bytesMax) {
      this.drop();
      return false;
    }
    this.#budget.bytes += bytes;
    this.#taken += bytes;
    return true;
  }
}
