/** How often answers were given again, and how to have them forgotten. */
import type { Hono } from 'hono';
import { LlameroError } from '../domain/errors.ts';
import { noCounts } from '../store/cache/response-cache.ts';
import { noQuery } from './contract.ts';
import type { CacheBody, CacheInvalidatedBody, CacheStatsBody } from './contract-cache.ts';
import type { AdminDeps } from './deps.ts';
import { addRoute, checkQuery } from './routing.ts';

type Deps = Pick<AdminDeps, 'cache' | 'cacheSettings'>;

export function addCacheRoutes(app: Hono, deps: Deps): void {
  addRoute(app, '/api/cache', {
    GET: (context) => {
      checkQuery(context, noQuery);
      return context.json(cacheBody(deps));
    },
    DELETE: async (context) => context.json(await clear(deps)),
  });
  addRoute(app, '/api/cache/stats', { GET: (context) => context.json(statsBody(deps)) });
  addRoute(app, '/api/cache/invalidate', { POST: async (context) => context.json(await clear(deps)) });
}

function cacheBody({ cache, cacheSettings }: Deps): CacheBody {
  const current = cache();
  const counts = current?.counts ?? noCounts;
  const { hits, misses } = counts;
  return {
    enabled: current !== undefined,
    store: cacheSettings().store,
    entries: current?.size?.entries ?? null,
    bytes: current?.size?.bytes ?? null,
    hits,
    semantic_hits: counts.semanticHits,
    misses,
    hit_rate: hits + misses === 0 ? null : hits / (hits + misses),
    saved_input_tokens: counts.savedInputTokens,
    saved_output_tokens: counts.savedOutputTokens,
    stored: counts.stored,
    not_stored: counts.notStored,
  };
}

function statsBody({ cache, cacheSettings }: Deps): CacheStatsBody {
  const current = cache();
  if (current === undefined) return { enabled: false };
  const { hits, misses } = current.counts;
  const { store, semantic } = cacheSettings();
  return {
    enabled: true,
    hits,
    misses,
    hit_rate: Number((hits / Math.max(1, hits + misses)).toFixed(3)),
    semantic: semantic !== undefined,
    backend: store,
    // Exact questions alone are those that are wholly alike.
    similarity_threshold: semantic?.threshold ?? 1,
    history_weight: semantic?.historyWeight ?? null,
  };
}

async function clear({ cache }: Deps): Promise<CacheInvalidatedBody> {
  const current = cache();
  if (current === undefined) return { enabled: false, cleared: false };
  try {
    await current.clear();
  } catch (cause) {
    throw new LlameroError('internal', 'The answers are not forgotten: their store cannot be reached', {
      cause,
    });
  }
  return { enabled: true, cleared: true };
}
