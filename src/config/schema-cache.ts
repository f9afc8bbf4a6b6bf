/** The configuration key `cache`: whether answers are kept to be given again, where, for how long and to whom. */
import { z } from 'zod';
import { describe, duration, secret, size } from './values.ts';

/** A hundred years. */
const ageMsMax = 36_500 * 86_400_000;

const semantic = z.strictObject({
  embeddings: describe(
    'Model that makes vectors of questions, by any name that a client could ask for.',
    z.string().min(1),
  ),
  threshold: describe(
    'How alike two questions must be, as the cosine of their vectors; 1 = the same.',
    z.number().min(0).max(1).default(0.95),
  ),
  historyWeight: describe(
    'Weight of what was said before against the last question. Unset: what was said before must be the same.',
    z.number().min(0).max(1).optional(),
  ),
});

const cache = z.strictObject({
  enabled: describe(
    'Answer requests that ask for it from answers that are kept, and keep theirs. No other request is touched.',
    z.boolean().default(false),
  ),
  store: describe(
    'Where they are kept. `sqlite`: in a file beside that of `store`, so that they outlive the router. `valkey`: in Valkey or Redis, where routers share them.',
    z.enum(['memory', 'sqlite', 'valkey']).default('memory'),
  ),
  url: describe(
    'Address of Valkey or Redis, `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`; `rediss://` speaks TLS. Goes with `store: valkey`.',
    secret().optional(),
  ),
  ttl: describe(
    'How long an answer is given again; 0 = as long as there is room.',
    duration({ msMax: ageMsMax }).prefault('1h'),
  ),
  sizeMax: describe(
    'Room for all answers; what was not asked for longest leaves. Not for `valkey`, which has a limit of its own (`maxmemory`).',
    size().prefault('64MiB'),
  ),
  entrySizeMax: describe('Larger answers are not kept.', size().prefault('1MiB')),
  models: describe(
    'Only answers of these models are kept, by any name that clients ask for. Unset: of all.',
    z.array(z.string().min(1)).min(1).optional(),
  ),
  share: describe(
    'Who gets the answer again: `key` whoever sent the first request, by API key or else address; `all` everybody.',
    z.enum(['key', 'all']).default('key'),
  ),
  semantic: describe(
    'Give the answer to a question also to others that mean the same. Unset: only to the same one.',
    semantic.optional(),
  ),
  wait: describe(
    'How long a request waits for the answer to the same question that is on its way to somebody else; 0 = not at all.',
    duration().prefault('0s'),
  ),
});

export type SemanticConfig = Readonly<z.output<typeof semantic>>;

export const cacheShape = {
  cache: describe(
    'Answers that are given again to requests that ask for it ([docs/cache.md](cache.md)).',
    cache.prefault({}),
  ),
};
