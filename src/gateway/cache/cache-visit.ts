/**
 * One request at the cache of answers: looks for its answer before it waits for anything, and keeps the answer that an
 * engine gave. Holds no answers itself; what is asked of it never fails a request.
 */
import { LlameroError } from '../../domain/errors.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { AnswerCopy } from '../../store/cache/answer-copy.ts';
import type { CacheRefusal, CacheResult, SavedTokens } from '../../store/cache/cache-use.ts';
import type { Likeness } from '../../store/cache/cache-store.ts';
import type { FoundAnswer, ResponseCache, SimilarAnswer } from '../../store/cache/response-cache.ts';
import type { RequestRecord } from '../../store/request-record.ts';
import type { GatewayParts } from '../gateway.ts';
import type { Inbound } from '../inbound.ts';
import type { Resolved } from '../resolve.ts';
import { cacheHeader, readWish, similarityHeader, type CacheWish, type Wishing } from './cache-wish.ts';
import { toCacheable, type CacheableRequest } from './cacheable-request.ts';
import { savedBy, toEntry, toStream, type KeptEntry, type NotKept } from './kept-answer.ts';
import { tryLikeness } from './likeness.ts';

export interface CacheVisitSource {
  readonly record: RequestRecord;
  readonly received: Buffer;
  /** Begins the life of a request of the router's own. */
  readonly begin: (parts: GatewayParts, inner: Inbound) => RequestRecord;
}

/** An answer as its client gets it. */
export interface ReplayedAnswer {
  readonly contentType: string;
  readonly pieces: readonly string[];
}

/** An answer, a reason why there can be none, or undefined: an engine has to answer. */
export type LookedUp = ReplayedAnswer | LlameroError | undefined;

/** undefined: no answers are kept, or the request says nothing of them. @throws LlameroError request_malformed */
export function tryVisitCache(
  parts: GatewayParts,
  inbound: Inbound,
  source: CacheVisitSource,
): CacheVisit | undefined {
  const cache = parts.cache();
  const { parent, request } = inbound;
  if (cache === undefined || parent !== undefined || request.method !== 'POST') return undefined;
  const { wish, body } = readWish(request.rawHeaders, source.received);
  if (wish === undefined && body === source.received) return undefined;
  return new CacheVisit({ ...source, wish, body, cache, parts, inbound });
}

interface Visiting extends CacheVisitSource, Wishing {
  readonly cache: ResponseCache;
  readonly parts: GatewayParts;
  readonly inbound: Inbound;
}

class CacheVisit {
  readonly #visiting: Visiting;
  /** The request has ended. */
  readonly #ending = new AbortController();
  #request: CacheableRequest | undefined;
  #likeness: Likeness | undefined;
  /** Others may wait for the answer. */
  #arrived = (): void => {};

  constructor(visiting: Visiting) {
    this.#visiting = visiting;
    if (visiting.wish !== undefined) this.#tell('bypass', 'route');
  }

  /** As an engine is to get it. */
  get body(): Buffer {
    return this.#visiting.body;
  }

  /** Calls `done` once, later where the answer had to be looked for. */
  lookUp(resolved: Resolved, done: (found: LookedUp) => void): void {
    const { wish } = this.#visiting;
    if (wish === undefined) {
      done(undefined);
      return;
    }
    this.#lookUp(resolved, wish).then(done, (thrown: unknown) => {
      this.#fault(thrown);
      done(undefined);
    });
  }

  /** The request has ended; its record knows everything by now. */
  ended(outcome: Outcome): void {
    const request = this.#request;
    if (request === undefined) return;
    this.#ending.abort(new LlameroError('client_closed', 'The request has ended'));
    const { cache, record } = this.#visiting;
    const use = record.cache;
    if (use?.copy === undefined) {
      this.#arrived();
      return;
    }
    const { bytes } = use.copy;
    use.copy = undefined;
    const entry = this.#toEntry(request, outcome, bytes);
    if ('refusal' in entry) {
      use.refusal = entry.refusal;
      cache.refused();
      this.#arrived();
      return;
    }
    const likeness = entry.isPersonal ? undefined : this.#likeness;
    void cache.keep(request.key, entry.body, likeness).then(this.#arrived);
  }

  async #lookUp(resolved: Resolved, wish: CacheWish): Promise<LookedUp> {
    const { parts, inbound, record, body, cache } = this.#visiting;
    const request = toCacheable({ parts, inbound, record, resolved, body });
    if (typeof request === 'string') {
      this.#tell('bypass', request);
      return wish.isRequired ? missed() : undefined;
    }
    this.#request = request;
    if (wish.reads) {
      const found = await this.#find(request.key);
      const replayed = found && this.#replay(found, resolved);
      if (replayed !== undefined) return replayed;
      if (found !== undefined) await cache.forget(request.key);
    }
    const similar = await this.#findSimilar(request, wish);
    const replayed = similar && this.#replay(similar, resolved);
    if (replayed !== undefined) return replayed;
    this.#tell(wish.reads ? 'miss' : 'bypass', wish.writes ? undefined : 'unwanted');
    if (wish.reads) cache.missed();
    if (wish.isRequired) return missed();
    if (wish.writes) this.#expect(request.key);
    return undefined;
  }

  async #find(key: string): Promise<FoundAnswer | undefined> {
    const { cache, parts } = this.#visiting;
    const found = await cache.find(key);
    const underWay = found === undefined ? cache.underWay(key) : undefined;
    const waitMs = parts.config().cache.wait;
    if (underWay === undefined || waitMs === 0) return found;
    await withinTime(underWay, waitMs);
    return cache.find(key);
  }

  async #findSimilar(request: CacheableRequest, { reads }: CacheWish): Promise<SimilarAnswer | undefined> {
    const { parts, begin, inbound, record, cache } = this.#visiting;
    const { semantic } = parts.config().cache;
    if (semantic === undefined) return undefined;
    const likeness = await tryLikeness(request, semantic, {
      begin: (inner) => begin(parts, inner),
      caller: inbound,
      parent: record.id,
      signal: this.#ending.signal,
    });
    this.#likeness = likeness;
    return reads && likeness !== undefined ? cache.findSimilar(likeness, semantic.threshold) : undefined;
  }

  /** The answer of an engine will be kept. */
  #expect(key: string): void {
    const { record, cache } = this.#visiting;
    if (this.#ending.signal.aborted) return;
    if (record.cache !== undefined) record.cache.copy = new AnswerCopy(cache.entryBytesMax);
    this.#arrived = cache.awaited(key);
  }

  #replay(found: FoundAnswer | SimilarAnswer, { stream }: Resolved): ReplayedAnswer | undefined {
    const { cache, inbound } = this.#visiting;
    const { body, ageMs } = found;
    const speech = stream ? this.#request?.speech : undefined;
    const pieces = speech === undefined ? [body] : toStream(body, speech);
    if (pieces === undefined) return undefined;
    const result = 'similarity' in found ? 'semantic' : 'exact';
    const saved = savedBy(body, this.#request?.speech);
    this.#tell(result, undefined, saved);
    cache.hit(result, saved);
    inbound.response.setHeader('age', String(Math.floor(ageMs / 1000)));
    if ('similarity' in found) inbound.response.setHeader(similarityHeader, found.similarity.toFixed(4));
    return { contentType: speech?.dialect.streamType ?? 'application/json; charset=utf-8', pieces };
  }

  #toEntry({ speech }: CacheableRequest, outcome: Outcome, bytes: Buffer | undefined): KeptEntry | NotKept {
    const { parts, record } = this.#visiting;
    const isForAll = parts.config().cache.share === 'all';
    try {
      return toEntry({ bytes, outcome, record, speech, isForAll });
    } catch (thrown) {
      this.#fault(thrown);
      return { refusal: 'unclean' };
    }
  }

  /** Of ours: the request goes on without the cache. */
  #fault(thrown: unknown): void {
    const { parts, inbound } = this.#visiting;
    parts.log.error({ requestId: inbound.id, err: thrown }, 'The cache of answers failed a request');
  }

  #tell(result: CacheResult, refusal: CacheRefusal | undefined, saved?: SavedTokens): void {
    const { record, inbound } = this.#visiting;
    record.cache = { result, saved, refusal, copy: undefined };
    inbound.response.setHeader(cacheHeader, result === 'exact' ? 'hit' : result);
  }
}

export type { CacheVisit };

function missed(): LlameroError {
  return new LlameroError(
    'cache_miss',
    'No answer to this request is kept, and it may be asked of no engine',
  );
}

/** Resolves when the promise has, or that time has passed. */
async function withinTime(promise: Promise<void>, timeMs: number): Promise<void> {
  const { promise: passed, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeMs);
  await Promise.race([promise, passed]);
  clearTimeout(timer);
}
