/**
 * What backends have in their prompt caches, as far as can be told from what they were sent and what they said of it.
 * Believed, never known: it may rate a backend, and must not exclude one.
 */
import { PrefixIndex } from '../base/prefix-index.ts';
import type { PrefixLoan, PrefixOwner } from '../base/prefix-index.ts';
import type { BackendView } from '../domain/backend-view.ts';
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { PromptChain, PromptReport } from '../domain/prompt-chain.ts';
import type { Ledger } from './ledger.ts';
import type { Candidate } from './policy.ts';
import type { SchedulerSettings } from './settings.ts';

/** What is believed of one model's cache on one backend. */
export interface PromptCacheReading {
  readonly model: ModelName | undefined;
  readonly blocks: number;
}

/** How it went with the prompts of one backend since it appeared. */
export interface PromptTally {
  /** Something was believed to be cached, and the engine had it; or it had little of it. */
  readonly hits: number;
  readonly misses: number;
  /** Nothing was believed to be cached. */
  readonly cold: number;
  /** The engine does not tell. */
  readonly untold: number;
  /** Of prompts whose engine tells: all tokens, those believed to be cached, those that were. */
  readonly promptTokens: number;
  readonly predictedTokens: number;
  readonly cachedTokens: number;
  /** Blocks given up because the engine turned out not to have them. */
  readonly forgotten: number;
  /** Blocks that went because others needed their places. */
  readonly evicted: number;
}

export interface PromptsReading {
  /** Most blocks over all backends; 0 = nothing was remembered yet. */
  readonly blocksMax: number;
  /** Memory of all blocks. */
  readonly bytes: number;
  readonly backends: ReadonlyMap<
    BackendId,
    { readonly tally: PromptTally; readonly caches: readonly PromptCacheReading[] }
  >;
}

/** A prompt on its way to a backend. */
export interface SentPrompt {
  readonly chain: PromptChain;
  readonly cache: Cache;
  /** Of the bytes of the prompt. */
  readonly predictedBytes: number;
  readonly loan: PrefixLoan | undefined;
}

interface Cache {
  readonly backend: Backend;
  readonly index: PrefixIndex;
  readonly owner: PrefixOwner;
  /** The engine has listed the model as loaded; one that never lists any is not asked to. */
  wasLoaded: boolean;
  isDropped: boolean;
}

type Counts = { -readonly [Key in keyof PromptTally]: PromptTally[Key] };

interface Backend {
  readonly tally: Counts;
  readonly caches: Map<ModelName | undefined, Cache>;
}

/** Tokens are not bytes, and templates add their own: less than half of what was believed is a miss. */
const hitShareMin = 0.5;

export class PromptCaches {
  readonly #backends = new Map<BackendId, Backend>();
  #bytesMax: number;
  /** Built when it is first needed. */
  #index: PrefixIndex | undefined;

  constructor({ promptBytesMax }: SchedulerSettings) {
    this.#bytesMax = promptBytesMax;
  }

  /** Another amount of memory begins empty. */
  configure({ promptBytesMax }: SchedulerSettings): void {
    if (promptBytesMax === this.#bytesMax) return;
    this.#bytesMax = promptBytesMax;
    for (const backend of this.#backends.values()) dropAll(backend);
    this.#index = undefined;
  }

  /** Whether what was believed of a backend was right more often than not, by what its engine said. */
  isProven({ view }: Candidate): boolean {
    const tally = this.#backends.get(view.id)?.tally;
    return tally !== undefined && tally.hits > tally.misses;
  }

  has(candidate: Candidate): boolean {
    const cache = this.#backends.get(candidate.view.id)?.caches.get(candidate.model);
    return cache !== undefined && cache.owner.blocks > 0;
  }

  /** Share of the prompt, 0 to 1, that a request would find in the cache there if it came now. */
  shareAt(candidate: Candidate, chain: PromptChain): number {
    return this.bytesAt(candidate, chain) / Math.max(1, chain.bytes);
  }

  /** The same in bytes of the prompt. */
  bytesAt(candidate: Candidate, chain: PromptChain): number {
    const cache = this.#backends.get(candidate.view.id)?.caches.get(candidate.model);
    return cache === undefined ? 0 : bytesIn(cache, candidate.view, chain);
  }

  /** The request was granted there. Undefined = nothing is remembered of it. */
  sent(candidate: Candidate, chain: PromptChain): SentPrompt | undefined {
    if (this.#bytesMax <= 0) return undefined;
    const { view, model } = candidate;
    const cache = this.#cacheOf(view.id, model);
    const predictedBytes = bytesIn(cache, view, chain);
    const loan = view.sharesPrompts === true ? undefined : cache.index.lend(cache.owner, chain.hashes);
    return { chain, cache, predictedBytes, loan };
  }

  /** Its permit ends. `report`: the engine has read the whole prompt; undefined = nobody knows how much of it. */
  ended({ chain, cache, predictedBytes, loan }: SentPrompt, report: PromptReport | undefined): void {
    if (loan !== undefined) cache.index.giveBack(loan);
    if (report === undefined || cache.isDropped) return;
    const { tally } = cache.backend;
    const { tokens, cachedTokens } = report;
    if (cachedTokens === undefined || tokens <= 0) tally.untold += 1;
    else {
      const share = Math.min(1, cachedTokens / tokens);
      const isMiss = share * chain.bytes < predictedBytes * hitShareMin;
      if (predictedBytes === 0) tally.cold += 1;
      else if (isMiss) tally.misses += 1;
      else tally.hits += 1;
      tally.promptTokens += tokens;
      tally.cachedTokens += Math.min(tokens, cachedTokens);
      tally.predictedTokens += Math.round((tokens * predictedBytes) / chain.bytes);
      // Whatever else begins like this one is not there either: the engine would have used it.
      if (isMiss) {
        const depth = blocksWithin(chain, share * chain.bytes);
        tally.forgotten += cache.index.forgetAfter(cache.owner, chain.hashes, depth);
      }
    }
    cache.index.add(cache.owner, chain.hashes);
  }

  /** There is news of a backend. `isAnew`: its engine was away and has lost everything, or it left for good. */
  follow({ id, view, present }: Pick<Ledger, 'id' | 'view' | 'present'>, isAnew: boolean): void {
    const backend = this.#backends.get(id);
    if (backend === undefined) return;
    if (isAnew) dropAll(backend);
    if (!present) this.#backends.delete(id);
    for (const [model, cache] of backend.caches) {
      if (model === undefined) continue;
      if (view.loaded.has(model)) cache.wasLoaded = true;
      else if (cache.wasLoaded) drop(backend, model, cache);
    }
  }

  read(): PromptsReading {
    const backends = new Map(
      Array.from(this.#backends, ([id, { tally, caches }]) => [
        id,
        {
          tally: { ...tally, evicted: tally.evicted + evictedFrom(caches) },
          caches: Array.from(caches, ([model, { owner }]) => ({
            model,
            blocks: owner.blocks,
          })),
        },
      ]),
    );
    return { blocksMax: this.#index?.capacity ?? 0, bytes: this.#index?.bytes ?? 0, backends };
  }

  #cacheOf(id: BackendId, model: ModelName | undefined): Cache {
    let backend = this.#backends.get(id);
    if (backend === undefined) {
      backend = { tally: { ...emptyTally }, caches: new Map() };
      this.#backends.set(id, backend);
    }
    let cache = backend.caches.get(model);
    if (cache === undefined) {
      const index = this.#indexInUse();
      cache = { backend, index, owner: index.createOwner(), wasLoaded: false, isDropped: false };
      backend.caches.set(model, cache);
    }
    return cache;
  }

  #indexInUse(): PrefixIndex {
    this.#index ??= new PrefixIndex({ bytesMax: this.#bytesMax });
    return this.#index;
  }
}

const emptyTally: PromptTally = {
  hits: 0,
  misses: 0,
  cold: 0,
  untold: 0,
  promptTokens: 0,
  predictedTokens: 0,
  cachedTokens: 0,
  forgotten: 0,
  evicted: 0,
};

function evictedFrom(caches: Backend['caches']): number {
  let evicted = 0;
  for (const { owner } of caches.values()) evicted += owner.evicted;
  return evicted;
}

/** Where each slot has a cache of its own, a prompt that is being read or answered there serves nobody else. */
function bytesIn({ index, owner }: Cache, view: BackendView, { hashes, ends }: PromptChain): number {
  const depth = view.sharesPrompts === true ? index.depthOf(owner, hashes) : index.freeDepthOf(owner, hashes);
  return ends[depth - 1] ?? 0;
}

function blocksWithin({ ends }: PromptChain, bytes: number): number {
  const beyond = ends.findIndex((end) => end > bytes);
  return beyond === -1 ? ends.length : beyond;
}

function dropAll(backend: Backend): void {
  for (const [model, cache] of backend.caches) drop(backend, model, cache);
}

function drop({ caches }: Backend, model: ModelName | undefined, cache: Cache): void {
  cache.isDropped = true;
  cache.backend.tally.evicted += cache.owner.evicted;
  cache.index.dropOwner(cache.owner);
  caches.delete(model);
}
