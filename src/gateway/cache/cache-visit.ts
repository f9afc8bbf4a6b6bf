/**
 * One request at the cache of answers: looks for its answer before it waits for anything, and keeps the answer that an
 * engine gave. Holds no answers itself; what is asked of it never fails a request.
 */
import { LlameroError } from '../../domain/errors.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { dialects } from '../../dialects/index.ts';
import type { AnswerContext, Dialect } from '../../dialects/dialect.ts';
import type { JsonObject, ModelRequest } from '../../dialects/ir/request.ts';
import { intentOf } from '../../dialects/ollama/request.ts';
import type { RouteName } from '../../domain/routes.ts';
import { AnswerCopy } from '../../store/cache/answer-copy.ts';
import { cacheKey } from '../../store/cache/cache-key.ts';
import type { CacheRefusal, CacheUse } from '../../store/cache/cache-use.ts';
import type { FoundAnswer, ResponseCache } from '../../store/cache/response-cache.ts';
import type { RequestRecord } from '../../store/request-record.ts';
import type { GatewayParts } from '../gateway.ts';
import { headerValue } from '../headers.ts';
import type { Inbound } from '../inbound.ts';
import type { Resolved } from '../resolve.ts';
import { dialectRoutes, isDialectRoute } from '../translation/dialect-routes.ts';
import { parseObject, tryReadModelRequest } from '../translation/read-request.ts';
import { contextOf } from '../translation/translate.ts';
import { cacheHeader, readWish, type CacheWish } from './cache-wish.ts';
import { isJson, toKeptAnswer, toStream } from './kept-answer.ts';

export interface CacheVisitSource {
  readonly parts: GatewayParts;
  readonly inbound: Inbound;
  readonly record: RequestRecord;
  readonly received: Buffer;
}

/** An answer as its client gets it. */
export interface ReplayedAnswer {
  readonly contentType: string;
  readonly pieces: readonly string[];
}

/** An answer, a reason why there can be none, or undefined: an engine has to answer. */
export type LookedUp = ReplayedAnswer | LlameroError | undefined;

/** Answers are functions of the request there, too. */
const computed: ReadonlySet<RouteName> = new Set([
  'embeddings',
  'ollama-embed',
  'ollama-embeddings',
  'rerank',
]);
/** Repairs that change what the engine is asked. */
const askingOtherwise: ReadonlySet<string> = new Set(['trimContext', 'dropTools', 'dropImages']);

/** undefined: no answers are kept. @throws LlameroError request_malformed */
export function tryVisitCache(source: CacheVisitSource): CacheVisit | undefined {
  const { parts, inbound, received } = source;
  const cache = parts.cache();
  if (cache === undefined || inbound.parent !== undefined || inbound.request.method !== 'POST')
    return undefined;
  return new CacheVisit(cache, source, readWish(inbound.request.rawHeaders, received));
}

export class CacheVisit {
  /** As an engine is to get it. */
  readonly body: Buffer;
  readonly #cache: ResponseCache;
  readonly #source: CacheVisitSource;
  readonly #wish: CacheWish | undefined;
  #key: string | undefined;
  #speech: Speech | undefined;
  #isOver = false;
  /** Others may wait for the answer. */
  #arrived = (): void => {};

  constructor(
    cache: ResponseCache,
    source: CacheVisitSource,
    { wish, body }: { readonly wish: CacheWish | undefined; readonly body: Buffer },
  ) {
    this.#cache = cache;
    this.#source = source;
    this.#wish = wish;
    this.body = body;
    if (wish !== undefined) this.#tell('bypass', 'route');
  }

  /** Calls `done` once, later where it had to be looked for. */
  lookUp(resolved: Resolved, done: (found: LookedUp) => void): void {
    if (this.#wish === undefined) done(undefined);
    else this.#lookUp(resolved, this.#wish).then(done, (thrown: unknown) => done(LlameroError.from(thrown)));
  }

  async #lookUp(resolved: Resolved, wish: CacheWish): Promise<LookedUp> {
    const speech = this.#speechOf(resolved);
    const refusal = typeof speech === 'string' ? speech : this.#refusalOf(resolved, speech);
    if (refusal !== undefined || typeof speech === 'string') {
      this.#tell('bypass', refusal);
      return wish.isRequired ? missed() : undefined;
    }
    this.#speech = speech;
    const key = this.#keyOf(resolved);
    const found = wish.reads ? await this.#find(key) : undefined;
    const replayed = found && this.#replay(found, resolved);
    if (replayed !== undefined) return replayed;
    if (found !== undefined) await this.#cache.forget(key);
    this.#tell(wish.reads ? 'miss' : 'bypass', wish.writes ? undefined : 'unwanted');
    if (wish.reads) this.#cache.told('miss');
    if (wish.isRequired) return missed();
    if (wish.writes) this.#expect(key);
    return undefined;
  }

  /** The request has ended; its record knows everything by now. */
  ended(outcome: Outcome): void {
    this.#isOver = true;
    const use = this.#source.record.cache;
    const key = this.#key;
    if (use?.copy !== undefined && key !== undefined) {
      const kept = outcome === 'completed' ? this.#toKeep(use.copy) : { refusal: 'unclean' as const };
      use.copy = undefined;
      if ('body' in kept) {
        void this.#cache.keep(key, kept.body).then(this.#arrived);
        return;
      }
      use.refusal = kept.refusal;
      this.#cache.told('notStored');
    }
    this.#arrived();
  }

  async #find(key: string): Promise<FoundAnswer | undefined> {
    const found = await this.#cache.find(key);
    const underWay = found === undefined ? this.#cache.underWay(key) : undefined;
    const waitMs = this.#source.parts.config().cache.wait;
    if (underWay === undefined || waitMs === 0) return found;
    await withinTime(underWay, waitMs);
    return this.#cache.find(key);
  }

  /** The answer of an engine will be kept. */
  #expect(key: string): void {
    const { record } = this.#source;
    if (this.#isOver) return;
    this.#key = key;
    if (record.cache !== undefined) record.cache.copy = new AnswerCopy(this.#cache.entryBytesMax);
    this.#arrived = this.#cache.awaited(key);
  }

  #replay({ body, ageMs }: FoundAnswer, { stream }: Resolved): ReplayedAnswer | undefined {
    const { response } = this.#source.inbound;
    const speech = this.#speech;
    const isStream = stream && speech !== undefined;
    const pieces = isStream ? toStream(body, speech.dialect, speech.context) : [body];
    if (pieces === undefined) return undefined;
    this.#tell('exact', undefined);
    this.#cache.told('exact');
    response.setHeader('age', String(Math.floor(ageMs / 1000)));
    return { contentType: isStream ? speech.dialect.streamType : 'application/json; charset=utf-8', pieces };
  }

  #refusalOf(
    { facts, conversation, ownAnswer, peeked }: Resolved,
    speech: Speech | undefined,
  ): CacheRefusal | undefined {
    const { inbound, parts } = this.#source;
    const { models } = parts.config().cache;
    if (facts.model === undefined || (models !== undefined && !models.includes(facts.model))) return 'model';
    if (inbound.modelInPath !== undefined || ownAnswer !== undefined || peeked.kind !== 'json')
      return 'route';
    if (conversation !== undefined) return 'stateful';
    if (speech === undefined) return computed.has(inbound.route.name) ? undefined : 'route';
    if (intentOf(speech.context.request) !== 'generate') return 'route';
    return (speech.context.request.sampling.choices ?? 1) > 1 ? 'several' : undefined;
  }

  /** undefined = the route has no dialect. */
  #speechOf({ asked }: Resolved): Speech | CacheRefusal | undefined {
    const { inbound, parts, record } = this.#source;
    const route = inbound.route.name;
    if (!isDialectRoute(route)) return undefined;
    const request: ModelRequest | undefined = asked ?? tryReadModelRequest(route, this.body);
    if (request === undefined) return 'unreadable';
    const { id: requestId, requested: said, startedEpochMs: arrivedEpochMs } = record;
    const context = contextOf({ clock: parts.clock, said, requestId, arrivedEpochMs }, request);
    return { dialect: dialects[dialectRoutes[route].dialect], context };
  }

  #keyOf({ facts }: Resolved): string {
    const { inbound, parts, record } = this.#source;
    const { rawHeaders } = inbound.request;
    const body: JsonObject = parseObject(this.body);
    return cacheKey({
      sharers: parts.config().cache.share === 'all' ? '' : inbound.flow,
      route: inbound.route.name,
      model: facts.model ?? '',
      requested: record.requested ?? '',
      circumstances: [inbound.query, headerValue(rawHeaders, 'anthropic-beta') ?? ''],
      body,
    });
  }

  #toKeep(copy: AnswerCopy): { readonly body: string } | { readonly refusal: CacheRefusal } {
    const { record } = this.#source;
    const { bytes } = copy;
    const { status, repairs, stream, usage } = record;
    if (status !== 200 || record.errorMessage !== undefined) return { refusal: 'unclean' };
    if (bytes === undefined) return { refusal: 'tooLarge' };
    if (repairs.some(({ repair }) => askingOtherwise.has(repair))) return { refusal: 'repaired' };
    const speech = this.#speech;
    if (speech === undefined) {
      const body = bytes.toString();
      return isJson(body) ? { body } : { refusal: 'unclean' };
    }
    const counted = usage === undefined || usage.estimated ? undefined : usage;
    const { inputTokens, outputTokens } = counted ?? {};
    return toKeptAnswer({
      ...speech,
      bytes,
      isStream: stream,
      usage:
        inputTokens === undefined || outputTokens === undefined ? undefined : { inputTokens, outputTokens },
    });
  }

  #tell(result: CacheUse['result'], refusal: CacheRefusal | undefined): void {
    const { record, inbound } = this.#source;
    record.cache = { result, refusal, copy: undefined };
    inbound.response.setHeader(cacheHeader, result === 'exact' ? 'hit' : result);
  }
}

/** How the request is said. */
interface Speech {
  readonly dialect: Dialect;
  readonly context: AnswerContext;
}

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
