import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { arbitraryConfig } from '../../test/fixtures/config/arbitrary-config.ts';
import { copyExactJson } from '../base/exact-json.ts';
import { loadConfigText } from './load.ts';
import { formatProblem } from './problems.ts';
import { printConfig } from './print.ts';
import type { Config } from './schema.ts';

function load(text: string): Config {
  const result = loadConfigText({ file: 'f', text, env: {} });
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

/** What printing does to secrets, done to a configuration. */
function masked(config: Config): Config {
  const copy = copyExactJson(config);
  for (const backend of Object.values(copy.backends)) {
    if (backend.apiKey !== undefined) backend.apiKey = '***';
    const { gpuMonitor } = backend;
    if (typeof gpuMonitor === 'object' && gpuMonitor.apiKey !== undefined) gpuMonitor.apiKey = '***';
  }
  for (const peer of Object.values(copy.peers)) if (peer.apiKey !== '') peer.apiKey = '***';
  copy.apiKeys = copy.apiKeys.map((entry) => (typeof entry === 'string' ? '***' : { ...entry, key: '***' }));
  return copy;
}

describe('printConfig', () => {
  test('writes durations, sizes and defaults as in a file', () => {
    const printed = printConfig(load('scheduling: { queueTimeout: 90 }\nlimits: { header: 1000 }\n'));
    expect(printed['scheduling']).toMatchObject({
      queueTimeout: '1m30s',
      stickyDelay: '3s',
      queueMax: 10_000,
    });
    expect(printed['limits']).toMatchObject({ body: '100MiB', header: '1000B', bodyTimeout: '1m' });
    expect(printed['listen']).toEqual(['127.0.0.1:8700']);
  });

  test('keeps the digits of large numbers', () => {
    const config = load(
      'models: { m: { cmd: "x ${PORT}", metadata: { a: 9007199254740993, b: 1e400, c: 1.0 } } }\n',
    );
    expect(stringify(printConfig(config)['models'])).toContain(
      'metadata:\n    a: 9007199254740993\n    b: "1e400"\n    c: 1\n',
    );
  });

  test('masks every secret and nothing else', () => {
    const text = `
apiKeys: [client-secret-1, { name: visible, key: client-secret-2 }]
backends: { a: { url: "http://visible:1", apiKey: backend-secret, gpuMonitor: { url: "http://visible:2", apiKey: monitor-secret } } }
`;
    const printed = JSON.stringify(printConfig(load(text)));
    expect(printed).not.toMatch(/secret-|-secret/);
    expect(printed).toContain('"apiKeys":["***",{"name":"visible","key":"***"}]');
    expect(printed).toContain('http://visible:1');
    expect(printed).toContain('http://visible:2');
  });

  test('is read back as the same configuration, secrets aside', () => {
    fc.assert(
      fc.property(arbitraryConfig, (written) => {
        const config = load(stringify(written));
        expect(load(stringify(printConfig(config)))).toEqual(masked(config));
      }),
      { numRuns: 200 },
    );
  });
});
