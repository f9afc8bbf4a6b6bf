/** Rules about the cache of answers that span several keys. Pure. */
import type { CheckResult, Finding } from './problems.ts';
import type { Config } from './schema.ts';

const valkeyProtocols: ReadonlySet<string> = new Set(['redis:', 'rediss:', 'valkey:', 'valkeys:']);

/** `sqlite` has its file beside the one of `store`, and `valkey` an address. */
export function checkCache({ cache, store }: Pick<Config, 'cache' | 'store'>): CheckResult {
  const problems: Finding[] = [];
  const report = (key: 'store' | 'url', message: string): void => {
    problems.push({ path: ['cache', key], message, code: 'config_conflict' });
  };
  if (cache.enabled && cache.store === 'sqlite' && (store?.path ?? '') === '') {
    report('store', 'must have a file: set store.path, or cache.store to memory');
  }
  if (cache.store === 'valkey' && cache.url === undefined)
    report('store', 'must have an address: set cache.url');
  if (cache.url !== undefined && !isValkeyUrl(cache.url)) {
    report('url', 'must be redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS');
  } else if (cache.url !== undefined && cache.store !== 'valkey') {
    report('url', `goes with cache.store valkey, and that is ${cache.store}`);
  }
  return { problems, warnings: [] };
}

function isValkeyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname } = new URL(text);
  return valkeyProtocols.has(protocol) && hostname !== '' && /^(?:\/\d*)?$/.test(pathname);
}
