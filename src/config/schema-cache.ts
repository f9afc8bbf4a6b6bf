/** The configuration key `cache`: whether answers are kept to be given again, where, for how long and to whom. */
import { z } from 'zod';
import { describe, duration, secret, size } from './values.ts';

/** A hundred years. */
const ageMsMax = 36_500 * 86_400_000;

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
  wait: describe(
    'How long a request waits for the answer to the same question that is on its way to somebody else; 0 = not at all.',
    duration().prefault('0s'),
  ),
});

export type CacheConfig = Readonly<z.output<typeof cache>>;

export const cacheShape = {
  cache: describe(
    'Answers that are given again to requests that ask for it ([docs/cache.md](cache.md)).',
    cache.prefault({}),
  ),
};
