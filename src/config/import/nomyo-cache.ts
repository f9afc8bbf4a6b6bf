/** What becomes of the cache of answers of nomyo-router: its keys, and what is written of them. */
import type { Draft } from './draft.ts';
import type { ForeignKey, Setting } from './foreign-key.ts';
import { tryDurationText, tryFlag, tryInteger, tryText } from './read-setting.ts';

/** What the file says of the cache. */
export interface NomyoCache {
  enabled: string | undefined;
  backend: { readonly name: string; readonly setting: Setting } | undefined;
  ttl: { readonly seconds: number | undefined; readonly setting: Setting } | undefined;
  redisUrl: Setting | undefined;
}

export function noNomyoCache(): NomyoCache {
  return { enabled: undefined, backend: undefined, ttl: undefined, redisUrl: undefined };
}

type CacheKey = ForeignKey<{ readonly cache: NomyoCache }>;

const redisUsual = 'redis://localhost:6379/0';

export const nomyoCacheKeys: readonly CacheKey[] = [
  {
    name: 'cache_enabled',
    source: 'file',
    fate: 'carried',
    to: '`cache.enabled`, `cache.share: all`',
    remark: 'Requests ask for it as before, with `"nomyo":{"cache":true}`. Not set: off.',
    sample: 'cache_enabled: true\n',
    carry: (setting, { cache }, draft) => {
      cache.enabled = tryFlag(setting, draft) === true ? setting.key : undefined;
    },
  },
  {
    name: 'cache_backend',
    source: 'file',
    fate: 'carried',
    to: '`cache.store`',
    remark: '`redis` is `valkey`, with `cache.url`; `sqlite` needs a `store.path`, which it gets.',
    sample: 'cache_enabled: true\ncache_backend: sqlite\n',
    carry: (setting, { cache }, draft) => {
      const name = tryText(setting, draft);
      if (name !== undefined) cache.backend = { name: name.toLowerCase(), setting };
    },
  },
  {
    name: 'cache_ttl',
    source: 'file',
    fate: 'carried',
    to: '`cache.ttl`',
    remark: 'Empty is 0, which is for ever.',
    sample: 'cache_enabled: true\ncache_ttl: 600\n',
    carry: (setting, { cache }, draft) => {
      const isForEver = setting.value.kind === 'scalar' && setting.value.value === null;
      const seconds = isForEver ? undefined : tryInteger(setting, draft);
      if (isForEver || seconds !== undefined) cache.ttl = { seconds, setting };
    },
  },
  {
    name: 'cache_redis_url',
    source: 'file',
    fate: 'carried',
    to: '`cache.url`',
    remark: `As an environment variable, as it may hold a password. Not set: \`${redisUsual}\`.`,
    sample:
      'cache_enabled: true\ncache_backend: redis\ncache_redis_url: "redis://:confidential@localhost:6379/0"\n',
    isSecret: true,
    carry: (setting, { cache }) => {
      cache.redisUrl = setting;
    },
  },
  {
    name: 'cache_db_path',
    source: 'file',
    fate: 'dropped',
    to: '',
    remark: 'the answers in that file stay there: Llamero has a file of its own, beside that of store.path',
    sample: 'cache_db_path: llm_cache.db\n',
  },
  {
    name: 'cache_similarity',
    source: 'file',
    fate: 'dropped',
    to: '',
    remark:
      'answers to similar questions take a model for embeddings, which cache.semantic has to name: docs/cache.md',
    sample: 'cache_similarity: 0.9\n',
  },
  {
    name: 'cache_history_weight',
    source: 'file',
    fate: 'dropped',
    to: '',
    remark: 'goes with cache.semantic, as historyWeight there: docs/cache.md',
    sample: 'cache_history_weight: 0.3\n',
  },
];

export function writeNomyoCache(cache: NomyoCache, draft: Draft): void {
  const { enabled, backend, ttl, redisUrl } = cache;
  if (enabled === undefined) {
    for (const setting of [backend?.setting, ttl?.setting]) {
      if (setting !== undefined)
        draft.note(setting.key, setting.at, 'without effect: cache_enabled is off', setting.value);
    }
    if (redisUrl !== undefined) draft.note(redisUrl.key, redisUrl.at, 'without effect: cache_enabled is off');
    return;
  }
  draft.set(['cache', 'enabled'], true, `from ${enabled}`);
  draft.set(['cache', 'share'], 'all', 'nomyo-router gives an answer to whoever asks for it');
  writeStore(cache, draft);
  if (ttl !== undefined) writeTtl(ttl, draft);
}

function writeStore({ backend, redisUrl }: NomyoCache, draft: Draft): void {
  const origin =
    backend === undefined ? 'the usual cache_backend of nomyo-router' : `from ${backend.setting.key}`;
  if (backend?.name === 'redis') {
    draft.set(['cache', 'store'], 'valkey', origin);
    const purpose = 'address of Valkey or Redis, with its password';
    if (redisUrl === undefined) {
      draft.set(['cache', 'url'], redisUsual, 'the usual cache_redis_url of nomyo-router');
    } else {
      const variable = draft.nameVariable('CACHE_URL', purpose);
      draft.setSecret(['cache', 'url'], variable, `from ${redisUrl.key}: set the variable to the address`);
    }
    return;
  }
  if (redisUrl !== undefined)
    draft.note(redisUrl.key, redisUrl.at, 'without effect: cache_backend is not redis');
  if (backend?.name !== 'sqlite') {
    draft.set(['cache', 'store'], 'memory', origin);
    return;
  }
  draft.set(['cache', 'store'], 'sqlite', origin);
  draft.set(['store', 'path'], 'llamero.db', 'the answers go into a file beside it');
}

function writeTtl({ seconds, setting }: NonNullable<NomyoCache['ttl']>, draft: Draft): void {
  const text = seconds === undefined ? '0s' : tryDurationText(seconds);
  if (text === undefined) draft.note(setting.key, setting.at, 'must be more than 0', setting.value);
  else draft.set(['cache', 'ttl'], text, `from ${setting.key}`);
}
