import { expect, test } from 'vitest';
import { loadConfigText } from './load.ts';

function problemsOf(cache: object, more: object = {}): string[] {
  const text = JSON.stringify({ backends: {}, cache, ...more });
  const loaded = loadConfigText({ file: 'f', env: {}, text });
  return loaded.ok ? [] : loaded.problems.map(({ path, message }) => `${path}: ${message}`);
}

const addressForm = 'must be redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS';

test.each<[object, object, string[]]>([
  [{ enabled: true }, {}, []],
  [{ store: 'sqlite' }, {}, []],
  [{ enabled: true, store: 'sqlite' }, { store: { path: 'x.db' } }, []],
  [
    { enabled: true, store: 'sqlite' },
    {},
    ['cache.store: must have a file: set store.path, or cache.store to memory'],
  ],
  [{ store: 'valkey' }, {}, ['cache.store: must have an address: set cache.url']],
  [{ store: 'valkey', url: 'rediss://u:p%20w@cache:6380/2' }, {}, []],
  [{ store: 'valkey', url: 'redis://cache' }, {}, []],
  [{ store: 'valkey', url: 'http://cache' }, {}, [`cache.url: ${addressForm}`]],
  [{ store: 'valkey', url: 'redis://cache/first' }, {}, [`cache.url: ${addressForm}`]],
  [{ url: 'redis://cache' }, {}, ['cache.url: goes with cache.store valkey, and that is memory']],
])('cache %j beside %j is told %j', (cache, more, expected) => {
  expect(problemsOf(cache, more)).toEqual(expected);
});
