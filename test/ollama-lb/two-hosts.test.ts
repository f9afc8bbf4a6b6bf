/** Two machines, each with a real monitor, behind a router in the preset `ollama-lb`. */
import { beforeEach, describe, expect, test } from 'vitest';
import { serversSchema } from '../../src/admin/contract-servers.ts';
import { ask, chat } from '../integration/client.ts';
import { startRouter, until, type TestRouter } from '../integration/start-router.ts';
import { startGpuHost, type GpuHost } from './gpu-host.ts';

beforeEach((context) => {
  context.skip(process.platform !== 'linux', 'a shell script stands for nvidia-smi');
});

async function startTwoHosts(leftPercent: number, rightPercent: number) {
  const [left, right] = await Promise.all([startGpuHost(leftPercent), startGpuHost(rightPercent)]);
  const router = await startRouter({
    backends: { left: left.config, right: right.config },
    scheduling: { preset: 'ollama-lb' },
    probes: { interval: '200ms', deadInterval: '200ms', gpuInterval: '100ms' },
  });
  await router.ready();
  await loadsAre(router, leftPercent, rightPercent);
  return { left, right, router };
}

/** In percent; null = unknown. */
async function loadsOf(router: TestRouter): Promise<(number | null | undefined)[]> {
  const { backends } = await router.status();
  return backends.map(({ gpu }) => gpu?.load_percent);
}

const loadsAre = (router: TestRouter, left: number | null, right: number | null, timeoutMs = 10_000) =>
  until(async () => {
    const [one, other] = await loadsOf(router);
    return one === left && other === right;
  }, timeoutMs);

/** So many requests, one after the other: how many each host got. */
async function requestsPerHost(router: TestRouter, count: number): Promise<Readonly<Record<string, number>>> {
  const counts = { left: 0, right: 0 };
  for (let index = 0; index < count; index += 1) {
    const { status, headers } = await chat(router.url, { max_tokens: 1 }).answer;
    expect(status).toBe(200);
    counts[headers['x-llamero-backend'] === 'left' ? 'left' : 'right'] += 1;
  }
  return counts;
}

const states = async (router: TestRouter) => (await router.status()).backends.map(({ state }) => state);

/** What the log says of a monitor from one of its lines on: what has just started may not answer at once. */
const monitorNews = (router: TestRouter, { monitorUrl }: GpuHost, start: number): unknown[] =>
  router.logLines
    .slice(start)
    .filter(({ url }) => url === `${monitorUrl}/metrics`)
    .map(({ msg }) => msg);

describe('of two hosts', () => {
  test('OLB-1, OLB-3 the one with the idler GPUs gets the requests, and the other one when that changes', async () => {
    const { left, right, router } = await startTwoHosts(80, 20);
    await using _router = router;
    expect(await requestsPerHost(router, 8)).toEqual({ left: 0, right: 8 });
    left.busy(10);
    right.busy(95);
    await loadsAre(router, 10, 95);
    expect(await requestsPerHost(router, 8)).toEqual({ left: 8, right: 0 });
    left.busy(40);
    right.busy(40);
    await loadsAre(router, 40, 40);
    expect(await requestsPerHost(router, 8)).toEqual({ left: 4, right: 4 });
  });

  test('OLB-2, OLB-23 the idler one gets only so many at once as ten percent each allow', async () => {
    const { left, right, router } = await startTwoHosts(70, 20);
    await using _router = router;
    await Promise.all([left, right].map(({ engine }) => engine.fault({ kind: 'delayHead', ms: 60_000 })));
    const running = Array.from({ length: 9 }, () => chat(router.url));
    const servers = async () => {
      const answer = await ask(`${router.url}/api/servers`).answer;
      return serversSchema.parse(answer.json()).servers;
    };
    await until(async () => (await servers()).reduce((sum, { active_requests: n }) => sum + n, 0) === 9);
    // 70 + 20 on one side, 20 + 70 on the other: the monitors' own count of requests, 0, changes nothing.
    expect(await servers()).toMatchObject([
      { backend_id: 'left', active_requests: 2, gpu_utilization: 70, gpu_count: 1, score: 90 },
      { backend_id: 'right', active_requests: 7, gpu_utilization: 20, gpu_memory_used_gb: 12.5, score: 90 },
    ]);
    for (const asking of running) asking.leave();
    await until(async () => (await servers()).every(({ active_requests: n }) => n === 0));
  });

  test('OLB-8, OLB-24 whose monitor is dead, or hangs, the load is unknown: both are used, none is down', async () => {
    const { left, right, router } = await startTwoHosts(90, 10);
    await using _router = router;
    expect(await requestsPerHost(router, 4)).toEqual({ left: 0, right: 4 });
    const start = router.logLines.length;
    left.monitor.signal('SIGKILL');
    right.monitor.signal('SIGSTOP');
    // What was told counts for ten seconds.
    await loadsAre(router, null, null, 18_000);
    expect(await states(router)).toEqual(['live', 'live']);
    expect(await requestsPerHost(router, 8)).toEqual({ left: 4, right: 4 });
    right.monitor.signal('SIGCONT');
    // Unknown is as busy as the others, however busy these are.
    for (const load of [10, 60]) {
      right.busy(load);
      await loadsAre(router, null, load);
      expect(await requestsPerHost(router, 4)).toEqual({ left: 2, right: 2 });
    }
    expect(await states(router)).toEqual(['live', 'live']);
    expect(monitorNews(router, left, start)).toEqual(['The monitor of a host does not answer']);
    expect(monitorNews(router, right, start)).toEqual([
      'The monitor of a host does not answer',
      'The monitor of a host answers again',
    ]);
  }, 40_000);

  test('a reload adds, changes and removes monitors, and nothing else', async () => {
    const { left, right, router } = await startTwoHosts(90, 10);
    await using _router = router;
    const probes = { interval: '200ms', deadInterval: '200ms', gpuInterval: '100ms' };
    const scheduling = { preset: 'ollama-lb' };
    await router.reload({
      backends: { left: { url: left.engine.url }, right: right.config },
      scheduling,
      probes,
    });
    expect(await loadsOf(router)).toEqual([undefined, 10]);
    const shared = { url: left.engine.url, gpuMonitor: right.monitorUrl };
    await router.reload({ backends: { left: shared, right: right.config }, scheduling, probes });
    expect(await loadsOf(router)).toEqual([10, 10]);
    await router.reload({ backends: { left: left.config, right: right.config }, scheduling, probes });
    await loadsAre(router, 90, 10);
    expect(await states(router)).toEqual(['live', 'live']);
  });
});
