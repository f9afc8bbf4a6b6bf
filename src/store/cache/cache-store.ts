/** What a place for kept answers has to do, wherever it is. Knows nothing of requests: a key is a name, a body text. */

/** Where a question stands among those that may mean the same. */
export interface Likeness {
  /** Only questions of the same space are compared. */
  readonly space: string;
  readonly vector: Float32Array;
}

export interface CacheEntry {
  readonly key: string;
  /** JSON text. */
  readonly body: string;
  readonly storedEpochMs: number;
  /** From then on it is not given out; Infinity = never. */
  readonly expiresEpochMs: number;
  /** undefined = it is found by its key alone. */
  readonly likeness: Likeness | undefined;
}

export interface KeptQuestion {
  readonly key: string;
  readonly vector: Float32Array;
}

export interface CacheSize {
  readonly entries: number;
  readonly bytes: number;
}

/** Calls reject where the place cannot be reached. */
export interface CacheStore {
  /** undefined = there is none, or it has expired. */
  get(key: string): Promise<CacheEntry | undefined>;
  /** Replaces an entry of the same key. False: it is larger than all of the place. */
  set(entry: CacheEntry): Promise<boolean>;
  /** False when there was none. */
  delete(key: string): Promise<boolean>;
  clear(): Promise<void>;
  /** Questions of a space that have not expired, the newest first. */
  questions(space: string, max: number): Promise<readonly KeptQuestion[]>;
  /** undefined = the place does not count. */
  size(): CacheSize | undefined;
  /** Removes what has expired. */
  sweep(): void;
  /** Idempotent. */
  close(): void;
}

/** What an entry counts for: its parts, and what keeping it takes beside them. */
export function entryBytes({ key, body, likeness }: CacheEntry): number {
  const besideBytes = 128;
  const likenessBytes = likeness === undefined ? 0 : likeness.space.length + likeness.vector.byteLength;
  return besideBytes + key.length + Buffer.byteLength(body) + likenessBytes;
}
