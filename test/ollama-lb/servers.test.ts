/** Servers and their sidecars as ollama-lb knows them, behind the router. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { serversSchema } from '../../src/admin/contract-servers.ts';
import { importableSystems } from '../../src/config/import/systems.ts';
import { startFakeOllama } from '../fake-engine/fake-ollama.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from '../integration/client.ts';
import { startProgram } from '../integration/start-program.ts';
import { startRouter, until, type TestRouter } from '../integration/start-router.ts';
import { flatMetrics, gpuMetrics, startFakeSidecar } from './fake-sidecar.ts';

const probes = { interval: '100ms', deadInterval: '300ms', timeout: 2, gpuInterval: '100ms' };
const scheduling = { preset: 'ollama-lb' };

async function serversOf({ url }: Pick<TestRouter, 'url'>) {
  return serversSchema.parse((await ask(`${url}/api/servers`).answer).json()).servers;
}

describe('what the sidecar of a server tells', () => {
  test('OLB-3, OLB-12, OLB-15, OLB-23 in its first version is its load, and never how many requests run', async () => {
    await using engine = await startFakeOllama({ models: ['llama3'] });
    const sidecar = await startFakeSidecar(flatMetrics(80, 7));
    await using router = await startRouter({
      backends: { one: { url: engine.url, gpuMonitor: sidecar.url } },
      scheduling,
      probes,
    });
    await router.ready();
    await until(async () => (await serversOf(router))[0]?.gpu_utilization === 80);
    expect(await serversOf(router)).toMatchObject([
      {
        host: '127.0.0.1',
        port: Number(new URL(engine.url).port),
        active_requests: 0,
        gpu_count: 1,
        gpu_memory_used_gb: 10.5,
        gpu_memory_total_gb: 24,
        gpu_temperature: 65,
        is_healthy: true,
        score: 80,
      },
    ]);
    sidecar.body = flatMetrics(30, 7);
    await until(async () => (await serversOf(router))[0]?.score === 30);
  });

  test('OLB-12, OLB-16, OLB-20 in its second version are GPUs one by one, and their sums', async () => {
    await using engine = await startFakeOllama({ models: ['llama3'] });
    const sidecar = await startFakeSidecar(gpuMetrics(80, 30));
    await using router = await startRouter({
      backends: { one: { url: engine.url, gpuMonitor: `${sidecar.url}/metrics` } },
      scheduling,
      probes,
    });
    await router.ready();
    await until(async () => (await serversOf(router))[0]?.gpu_count === 2);
    const [server] = await serversOf(router);
    expect(server).toMatchObject({
      gpus: [
        { index: 0, name: 'RTX 3090', utilization: 80, memory_used_gb: 10, temperature: 60 },
        { index: 1, name: 'RTX 3091', utilization: 30, memory_used_gb: 11, temperature: 61 },
      ],
      gpu_utilization: 55,
      gpu_memory_used_gb: 21,
      gpu_memory_total_gb: 48,
      gpu_temperature: 61,
      score: 55,
    });
  });

  test('OLB-1, OLB-8 is taken to be that of the others where nobody or a silent sidecar tells it', async () => {
    const engines = await Promise.all(['a', 'b', 'c'].map(() => startFakeOllama({ models: ['llama3'] })));
    onTestFinished(async () => void (await Promise.all(engines.map((engine) => engine.close()))));
    const [one, other, third] = engines.map(({ url }) => ({ url }));
    const sidecar = await startFakeSidecar(flatMetrics(92));
    const gone = await startFakeSidecar({ nothing: 'of use' });
    await using router = await startRouter({
      backends: {
        one: { ...one, gpuMonitor: sidecar.url },
        other,
        third: { ...third, gpuMonitor: gone.url },
      },
      scheduling,
      probes,
    });
    await router.ready();
    const scores = async () => (await serversOf(router)).map(({ score }) => score);
    await until(async () => (await scores()).join() === '92,90,90');
    sidecar.body = flatMetrics(8);
    await until(async () => (await scores()).join() === '8,10,10');
  });

  test('is asked for once, however many servers are on its machine', async () => {
    await using one = await startFakeOllama({ models: ['llama3'] });
    await using other = await startFakeOllama({ models: ['llama3'] });
    const sidecar = await startFakeSidecar(flatMetrics(40));
    await using router = await startRouter({
      backends: {
        one: { url: one.url, gpuMonitor: sidecar.url },
        other: { url: other.url, gpuMonitor: sidecar.url },
      },
      scheduling,
      probes: { ...probes, gpuInterval: '5s' },
    });
    await router.ready();
    await until(async () => (await serversOf(router)).every(({ score }) => score === 40));
    expect(sidecar.asked).toBe(1);
  });
});

describe('the list of servers', () => {
  test('OLB-10, OLB-11, OLB-21 is answered by the router, as is its health, and neither goes to a server', async () => {
    await using engine = await startFakeOllama({ models: ['llama3'] });
    await using router = await startRouter({
      backends: { one: { url: engine.url, engine: 'ollama' } },
      scheduling,
      probes,
    });
    await router.ready();
    const listed = await ask(`${router.url}/servers`).answer;
    expect(serversSchema.parse(listed.json()).servers).toMatchObject([
      { backend_id: 'one', is_healthy: true },
    ]);
    const health = await ask(`${router.url}/health`).answer;
    expect([health.status, health.json()]).toMatchObject([200, { status: 'ok' }]);
    expect(engine.asked.filter(({ path }) => path === '/servers' || path === '/health')).toEqual([]);
  });

  test('OLB-26 wants a key where the router has keys', async () => {
    await using engine = await startFakeOllama({ models: ['llama3'] });
    await using router = await startRouter({
      backends: { one: { url: engine.url } },
      apiKeys: ['a-key'],
      scheduling,
      probes,
    });
    for (const path of ['/servers', '/api/servers']) {
      expect((await ask(router.url + path).answer).status).toBe(401);
      const headers = { authorization: 'Bearer a-key' };
      expect((await ask(router.url + path, { headers }).answer).status).toBe(200);
    }
  });

  test('OLB-4, OLB-5, OLB-18 tells that a server is gone after three failed requests, and when it is back', async () => {
    const engines = await Promise.all([startFakeEngine(), startFakeEngine(), startFakeEngine()]);
    const [first] = engines;
    const path = '/v1/chat/completions';
    const backends = Object.fromEntries(engines.map(({ url }, index) => [`e${index}`, { url }]));
    await using router = await startRouter({ backends, scheduling, probes });
    await router.ready();
    await first.fault({ kind: 'reset', at: 'request', path });
    const healthy = async () => (await serversOf(router)).map(({ is_healthy: isHealthy }) => isHealthy);
    for (let count = 0; count < 20 && (await healthy())[0] === true; count += 1) {
      await chat(router.url, { max_tokens: 1 }).answer;
    }
    expect(await healthy()).toEqual([false, true, true]);
    expect((await first.report()).requests.filter((request) => request.path === path)).toHaveLength(3);
    for (let count = 0; count < 4; count += 1) {
      expect((await chat(router.url, { max_tokens: 1 }).answer).status).toBe(200);
    }
    await first.reset();
    await until(async () => (await healthy())[0] === true);
    await Promise.all(engines.map((engine) => engine.close()));
  });

  test('OLB-5 has a server that was only started anew back as soon as it listens, whatever the recovery delay', async () => {
    const engine = await startFakeEngine();
    onTestFinished(() => engine.close());
    const backends = { one: { url: engine.url } };
    await using router = await startRouter({
      backends,
      scheduling,
      probes: { ...probes, deadInterval: '60s' },
    });
    await router.ready();
    const healthy = async () => (await serversOf(router))[0]?.is_healthy;
    await engine.fault({ kind: 'refuse', ms: 500 });
    await until(async () => (await healthy()) === false);
    await until(async () => (await healthy()) === true);
  });
});

describe('an imported configuration', () => {
  test('OLB-14, OLB-22 has the three servers that ollama-lb has, and a program that starts with it', async () => {
    const imported = importableSystems
      .find(({ name }) => name === 'ollama-lb')
      ?.run({ main: undefined, env: undefined });
    if (imported?.ok !== true) throw new Error('not imported');
    const yaml = imported.yaml.replace('0.0.0.0:11434', '127.0.0.1:0');
    await using program = await startProgram(['serve', '--config', 'llamero.yaml'], { 'llamero.yaml': yaml });
    const servers = await serversOf({ url: await program.url() });
    expect(servers.map(({ host, port }) => `${host}:${port}`)).toEqual([
      'ollama-1:11435',
      'ollama-2:11436',
      'ollama-3:11437',
    ]);
    program.signal('SIGTERM');
    expect(await program.ended()).toBe(0);
  });
});
