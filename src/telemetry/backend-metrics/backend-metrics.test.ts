import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mergeExpositions } from './merge-expositions.ts';
import { parseExposition, samplesMax } from './parse-exposition.ts';
import { scrapeBackends, type ScrapeTarget } from './scrape-backends.ts';

/** As llama-server writes it, and as vLLM's Python client does. */
const llamaPage = `# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 1234
# HELP llamacpp:kv_cache_usage_ratio KV-cache usage. 1 means 100 percent usage.
# TYPE llamacpp:kv_cache_usage_ratio gauge
llamacpp:kv_cache_usage_ratio 0.25
`;
const vllmPage = `# HELP vllm:e2e_seconds End to end.
# TYPE vllm:e2e_seconds histogram
vllm:e2e_seconds_bucket{le="0.5",model_name="qwen"} 3.0
vllm:e2e_seconds_bucket{le="+Inf",model_name="qwen"} 4.0
vllm:e2e_seconds_count{model_name="qwen"} 4.0
vllm:e2e_seconds_sum{model_name="qwen"} 1.5e-05 1700000000000
process_start_time_seconds{backend="theirs",note="a \\"b\\" \\\\ c",} 1.7e+09
odd NaN
`;
const none = (): boolean => false;

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const target = (backend: string, url: URL, apiKey?: string): ScrapeTarget => ({ backend, url, apiKey });

describe('pages of backends', () => {
  test('become one, names kept, each series with its backend', () => {
    const pages = [
      { backend: 'gpu-1', families: parseExposition(llamaPage) },
      { backend: 'gpu"2', families: parseExposition(llamaPage) },
      { backend: 'vllm', families: parseExposition(vllmPage) },
    ];
    expect(mergeExpositions(pages, none))
      .toBe(`# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total{backend="gpu-1"} 1234
llamacpp:prompt_tokens_total{backend="gpu\\"2"} 1234

# HELP llamacpp:kv_cache_usage_ratio KV-cache usage. 1 means 100 percent usage.
# TYPE llamacpp:kv_cache_usage_ratio gauge
llamacpp:kv_cache_usage_ratio{backend="gpu-1"} 0.25
llamacpp:kv_cache_usage_ratio{backend="gpu\\"2"} 0.25

# HELP vllm:e2e_seconds End to end.
# TYPE vllm:e2e_seconds histogram
vllm:e2e_seconds_bucket{backend="vllm",le="0.5",model_name="qwen"} 3.0
vllm:e2e_seconds_bucket{backend="vllm",le="+Inf",model_name="qwen"} 4.0
vllm:e2e_seconds_count{backend="vllm",model_name="qwen"} 4.0
vllm:e2e_seconds_sum{backend="vllm",model_name="qwen"} 1.5e-05

# TYPE process_start_time_seconds untyped
process_start_time_seconds{backend="vllm",exported_backend="theirs",note="a \\"b\\" \\\\ c"} 1.7e+09

# TYPE odd untyped
odd{backend="vllm"} NaN
`);
  });

  test('keep each label once, also those of a page that was put together before', () => {
    const families = parseExposition('x{backend="inner",exported_backend="innermost"} 1\n');
    const text = mergeExpositions([{ backend: 'a', families }], none);
    expect(text).toBe(
      '# TYPE x untyped\nx{backend="a",exported_exported_backend="inner",exported_backend="innermost"} 1\n',
    );
    expect(() => parseExposition(text)).not.toThrow();
  });

  test('cannot take a name of the router, nor another type than the first has', () => {
    const first = { backend: 'a', families: parseExposition('# TYPE x counter\nx 1\nllamero_draining 1\n') };
    const second = { backend: 'b', families: parseExposition('# TYPE x gauge\nx 2\n') };
    const text = mergeExpositions([first, second], (name) => name.startsWith('llamero_'));
    expect(text).toBe('# TYPE x counter\nx{backend="a"} 1\n');
  });

  test.each([
    ['a page of HTML', '<html>'],
    ['a name with a dash', 'a-b 1'],
    ['no value', 'a'],
    ['a value that is none', 'a one'],
    ['open labels', 'a{b="c" 1'],
    ['a label without quotes', 'a{b=c} 1'],
    ['the same label twice', 'a{b="1",b="2"} 1'],
    ['a type that there is not', '# TYPE a colour\na 1'],
    ['a type after its samples', 'a 1\n# TYPE a gauge'],
    ['too many samples', 'a 1\n'.repeat(samplesMax + 1)],
  ])('are refused as a whole for %s', (_, text) => {
    expect(() => parseExposition(text)).toThrow();
  });
});

describe('a scrape', () => {
  test('asks with the key of the backend, below the path of its address', async () => {
    const seen: (string | undefined)[] = [];
    const url = await serve(({ url: path, headers }, response) => {
      seen.push(path, headers.authorization);
      response.end(llamaPage);
    });
    const { pages, up } = await scrapeBackends([target('gpu', new URL('/engine/', url), 'k')]);
    expect(seen).toEqual(['/engine/metrics', 'Bearer k']);
    expect([pages[0]?.families.size, up.get('gpu')]).toEqual([2, true]);
  });

  test('does without those that fail, are slow, too large or say nonsense', async () => {
    const good = await serve((_, response) => response.end(llamaPage));
    const broken = await serve((_, response) => response.writeHead(501).end('no metrics'));
    const silent = await serve(() => {});
    const dripping = await serve((_, response) => {
      response.write('a 1\n');
    });
    const large = await serve((_, response) => response.end('a 1\n'.repeat(5000)));
    const nonsense = await serve((_, response) => response.end('{"a":1}'));
    const closed = new URL('http://127.0.0.1:1');
    const targets = Object.entries({ good, broken, silent, dripping, large, nonsense, closed });
    const startedMs = performance.now();
    const { pages, up } = await scrapeBackends(
      targets.map(([name, url]) => target(name, url)),
      { timeoutMs: 200, bytesMax: 10_000 },
    );
    expect(performance.now() - startedMs).toBeLessThan(1500);
    expect(pages.map(({ backend }) => backend)).toEqual(['good']);
    expect(Array.from(up, ([name, isUp]) => (isUp ? name : '')).filter(Boolean)).toEqual(['good']);
    expect(up.size).toBe(7);
  });
});
