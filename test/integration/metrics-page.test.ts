/** The metrics page of a router with real sockets around it. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { parsePrometheusText, valueOf } from '../prometheus-text.ts';
import { chat } from './client.ts';
import { fakeCommand, withModels } from './fake-models.ts';
import { startRouter } from './start-router.ts';

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const page = async (url: string): Promise<string> => (await fetch(`${url}/metrics`)).text();

test('metrics page counts the load of a model and the one that had to go for it', async () => {
  await using router = await startRouter(
    await withModels({ first: { cmd: fakeCommand('first') }, second: { cmd: fakeCommand('second') } }),
  );
  for (const model of ['first', 'second']) {
    expect((await chat(router.url, { model, stream: true }).answer).status).toBe(200);
  }
  const families = parsePrometheusText(await page(router.url));
  for (const model of ['first', 'second']) {
    expect(valueOf(families, 'llamero_loads_total', { model, result: 'ready' })).toBe(1);
    expect(valueOf(families, 'llamero_load_duration_seconds_count', { model })).toBe(1);
  }
  expect(valueOf(families, 'llamero_swaps_total', { model: 'second' })).toBe(1);
  expect(valueOf(families, 'llamero_swaps_total', { model: 'first' })).toBe(0);
  expect(valueOf(families, 'llamero_evictions_total', { model: 'first', reason: 'evicted' })).toBe(1);
  expect(valueOf(families, 'llamero_process_state', { model: 'second', state: 'ready' })).toBe(1);
  expect(valueOf(families, 'llamero_connections')).toBeGreaterThanOrEqual(1);
  const speed = { model: 'second', backend: 'second', dialect: 'openai' };
  expect(valueOf(families, 'llamero_output_tokens_per_second_count', speed)).toBe(1);
});

test('metrics page shows the metrics of backends where that is wanted, and is not held up by a silent one', async () => {
  const talking = await serve(({ url }, response) => {
    if (url === '/metrics') response.end('# HELP busy Requests.\n# TYPE busy gauge\nbusy{slot="a"} 3\n');
    else response.writeHead(404).end();
  });
  const silent = await serve(() => {});
  const backends = { talking: { url: talking, engine: 'openai' }, silent: { url: silent, engine: 'openai' } };
  await using router = await startRouter({ backends, telemetry: { metrics: { backends: true } } });
  const startedMs = performance.now();
  const families = parsePrometheusText(await page(router.url));
  expect(performance.now() - startedMs).toBeLessThan(2000);
  expect(valueOf(families, 'busy', { backend: 'talking', slot: 'a' })).toBe(3);
  expect(valueOf(families, 'llamero_backend_scrape_up', { backend: 'talking' })).toBe(1);
  expect(valueOf(families, 'llamero_backend_scrape_up', { backend: 'silent' })).toBe(0);
  await router.reload({ backends });
  const without = parsePrometheusText(await page(router.url));
  expect(without.has('busy')).toBe(false);
  expect(without.get('llamero_backend_scrape_up')?.samples).toEqual([]);
});
