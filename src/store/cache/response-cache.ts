/**
 * Owns the answers that are given again, and how often that happened. A place that fails costs a hit, never a request. Who
 * may ask for what, and what an answer says, is decided elsewhere.
 */
import type { SavedTokens } from './cache-use.ts';
import type { CacheSize, CacheStore, Likeness } from './cache-store.ts';
import { findNearest } from './vectors.ts';

export interface ResponseCacheOptions {
  readonly store: CacheStore;
  /** Infinity = they never expire. */
  readonly ttlMs: number;
  /** Larger answers are not kept. */
  readonly entryBytesMax: number;
  readonly nowEpochMs: () => number;
  /** The place could not be read or written. */
  readonly onFault: (error: unknown) => void;
  readonly onKept?: () => void;
}

export interface FoundAnswer {
  /** JSON text. */
  readonly body: string;
  readonly ageMs: number;
}

export interface SimilarAnswer extends FoundAnswer {
  /** Of its question to the one that was asked: the cosine of their vectors. */
  readonly similarity: number;
}

/** More questions of one space are not looked through. */
const questionsMax = 10_000;

export interface CacheCounts {
  readonly hits: number;
  /** Part of `hits` whose question was only similar. */
  readonly semanticHits: number;
  readonly savedInputTokens: number;
  readonly savedOutputTokens: number;
  readonly misses: number;
  readonly stored: number;
  /** Answers that came and were not kept. */
  readonly notStored: number;
}

export class ResponseCache {
  readonly #options: ResponseCacheOptions;
  /** Answers on their way, by their keys. */
  readonly #underWay = new Map<string, Promise<void>>();
  #counts: CacheCounts = noCounts;
  #isClosed = false;

  constructor(options: ResponseCacheOptions) {
    this.#options = options;
  }

  get entryBytesMax(): number {
    return this.#options.entryBytesMax;
  }

  get counts(): CacheCounts {
    return this.#counts;
  }

  /** undefined = the place does not count. */
  get size(): CacheSize | undefined {
    return this.#options.store.size();
  }

  /** Never rejects. */
  async find(key: string): Promise<FoundAnswer | undefined> {
    const { store, nowEpochMs } = this.#options;
    const entry = await this.#attempt(() => store.get(key));
    if (entry === undefined) return undefined;
    return { body: entry.body, ageMs: Math.max(0, nowEpochMs() - entry.storedEpochMs) };
  }

  /** The answer to the most similar question, from the threshold on. Never rejects. */
  async findSimilar({ space, vector }: Likeness, threshold: number): Promise<SimilarAnswer | undefined> {
    const { store } = this.#options;
    const questions = await this.#attempt(() => store.questions(space, questionsMax));
    const nearest = questions && findNearest(questions, vector, threshold);
    const found = nearest && (await this.find(nearest.kept.key));
    return found && { ...found, similarity: nearest.similarity };
  }

  /** Resolves when it is there, or could not be kept. Never rejects. */
  async keep(key: string, body: string, likeness?: Likeness): Promise<void> {
    const { store, ttlMs, nowEpochMs } = this.#options;
    const storedEpochMs = nowEpochMs();
    const entry = { key, body, storedEpochMs, expiresEpochMs: storedEpochMs + ttlMs, likeness };
    const isKept = (await this.#attempt(() => store.set(entry))) === true;
    if (isKept) this.#options.onKept?.();
    this.#count(isKept ? 'stored' : 'notStored');
  }

  /** The answer is none: it must not be given again. Never rejects. */
  async forget(key: string): Promise<void> {
    await this.#attempt(() => this.#options.store.delete(key));
  }

  /** A request was answered with what is kept. `saved`: where the answer tells its tokens. */
  hit(result: 'exact' | 'semantic', saved: SavedTokens | undefined): void {
    this.#count('hits');
    if (result === 'semantic') this.#count('semanticHits');
    this.#count('savedInputTokens', saved?.inputTokens ?? 0);
    this.#count('savedOutputTokens', saved?.outputTokens ?? 0);
  }

  /** Nothing is known of what a request asked for. */
  missed(): void {
    this.#count('misses');
  }

  /** An answer that could have been kept is none that may be. */
  refused(): void {
    this.#count('notStored');
  }

  /** Resolves when the answer that somebody waits for has come, however; undefined = nobody does. */
  underWay(key: string): Promise<void> | undefined {
    return this.#underWay.get(key);
  }

  /** Somebody waits for this answer. Call the result when it has come, however. */
  awaited(key: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#underWay.set(key, promise);
    return () => {
      if (this.#underWay.get(key) === promise) this.#underWay.delete(key);
      resolve();
    };
  }

  /** Forgets all answers and counts. @throws what the place rejects with */
  async clear(): Promise<void> {
    await this.#options.store.clear();
    this.#counts = noCounts;
  }

  /** Removes what has expired. */
  sweep(): void {
    void this.#attempt(() => Promise.resolve(this.#options.store.sweep()));
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#options.store.close();
  }

  #count(what: keyof CacheCounts, more = 1): void {
    this.#counts = { ...this.#counts, [what]: this.#counts[what] + more };
  }

  async #attempt<Value>(call: () => Promise<Value>): Promise<Value | undefined> {
    try {
      return await call();
    } catch (error) {
      // Requests that run when it is replaced still end with it.
      if (!this.#isClosed) this.#options.onFault(error);
      return undefined;
    }
  }
}

export const noCounts: CacheCounts = {
  hits: 0,
  semanticHits: 0,
  savedInputTokens: 0,
  savedOutputTokens: 0,
  misses: 0,
  stored: 0,
  notStored: 0,
};
