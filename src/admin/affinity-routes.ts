/** Where conversations and prompts are believed to be at home, how often that was right, and where a request would go. */
import type { Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { LlameroError } from '../domain/errors.ts';
import {
  affinityQuery,
  affinityStatsQuery,
  type AffinityBody,
  type AffinityStatsBody,
} from './contract-affinity.ts';
import type { AdminDeps } from './deps.ts';
import { addRoute, checkQuery } from './routing.ts';

const bodyBytesMax = 16 * 1024 ** 2;

export function addAffinityRoutes(app: Hono, { affinity }: Pick<AdminDeps, 'affinity'>): void {
  app.use('/api/affinity', limitBody);
  addRoute(app, '/api/affinity', {
    POST: async (context) => context.json(await explain(context, affinity)),
  });
  addRoute(app, '/api/affinity_stats', {
    GET: (context) => context.json(describeStats(affinity, checkQuery(context, affinityStatsQuery).limit)),
  });
}

const limitBody = bodyLimit({
  maxSize: bodyBytesMax,
  onError: () => {
    throw new LlameroError('request_too_large', `The body is larger than ${bodyBytesMax} bytes`);
  },
});

async function explain(context: Context, affinity: AdminDeps['affinity']): Promise<AffinityBody> {
  const { path, flow } = checkQuery(context, affinityQuery);
  const body = Buffer.from(await context.req.arrayBuffer());
  const rawHeaders = Object.entries(context.req.header()).flat();
  const { model, hasSession, prompt, candidates } = affinity.explain({ path, body, rawHeaders, flow });
  return {
    model_id: model ?? null,
    session: hasSession,
    prompt: prompt ?? null,
    backend_id: candidates.find(({ excludedBy }) => excludedBy === undefined)?.backend ?? null,
    candidates: candidates.map(({ backend, excludedBy, score, scores }) => ({
      backend_id: backend,
      excluded_by: excludedBy ?? null,
      score,
      scores: { ...scores },
    })),
  };
}

function describeStats({ settings, read }: AdminDeps['affinity'], limit: number): AffinityStatsBody {
  const { enabled, ttlMs } = settings();
  const { sessions, prompts } = read(limit);
  const backends = Array.from(prompts.backends, ([id, { tally, caches }]) => ({
    backend_id: id,
    hits: tally.hits,
    misses: tally.misses,
    cold: tally.cold,
    untold: tally.untold,
    prompt_tokens: tally.promptTokens,
    predicted_tokens: tally.predictedTokens,
    cached_tokens: tally.cachedTokens,
    forgotten: tally.forgotten,
    evicted: tally.evicted,
    models: caches.map(({ model, blocks }) => ({ model_id: model ?? null, blocks })),
  }));
  return {
    enabled,
    ttl: ttlMs / 1000,
    entries: sessions.newest.map(({ backend, model, remainingMs }) => ({
      endpoint: backend,
      model: model ?? null,
      remaining: remainingMs / 1000,
    })),
    sessions: sessions.size,
    prefix: {
      blocks: backends.flatMap(({ models }) => models).reduce((sum, { blocks }) => sum + blocks, 0),
      blocks_max: prompts.blocksMax,
      backends,
    },
  };
}
