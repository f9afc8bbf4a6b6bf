/** `llamero gpu-monitor` as a program, asked by hand, by Prometheus and by the client that routers have. */
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { createMonitorClient } from '../../src/telemetry/host/monitor-client.ts';
import { fakeTools, printsForever } from '../fake-tools.ts';
import { parsePrometheusText, valueOf } from '../prometheus-text.ts';
import { eventually, isAlive } from '../processes/harness.ts';
import { ask } from './client.ts';
import { startProgram } from './start-program.ts';

beforeEach((context) => {
  context.skip(process.platform !== 'linux', 'a shell script stands for nvidia-smi');
});

const loop = printsForever('nvidia-two-rtx3090.csv');

async function startMonitor(script: string, flags: readonly string[] = [], env: Record<string, string> = {}) {
  const tools = fakeTools({ 'nvidia-smi': script });
  const path = `${tools.env['PATH'] ?? ''}:${process.env['PATH'] ?? ''}`;
  const args = ['gpu-monitor', '--listen', '127.0.0.1:0', '--interval', '200ms', ...flags];
  const program = await startProgram(args, {}, { PATH: path, ...env });
  onTestFinished(() => program[Symbol.asyncDispose]());
  return { tools, program, url: await program.url() };
}

const get = (url: string, headers: Record<string, string> = {}, method = 'GET') =>
  ask(url, { headers, method }).answer;

describe('the monitor', () => {
  test('OLB-12, OLB-13, OLB-22 tells of its machine as JSON and to Prometheus, and ends with all that it started', async () => {
    const { tools, program, url } = await startMonitor(loop);
    const body = await eventually(async () => {
      const answer = await get(`${url}/metrics`);
      return answer.status === 200 && answer.json();
    });
    expect(body).toMatchObject({
      gpu_count: 2,
      gpu_utilization: 50,
      gpu_memory_total_gb: 48,
      gpu_temperature: 71,
      gpus: [{ name: 'NVIDIA GeForce RTX 3090', utilization: 97 }, { index: 1 }],
      host: { system: { memory: {} }, gpus: [{ power_watts: 338.12 }, {}] },
    });
    const byPath = await get(`${url}/metrics/prometheus`);
    const byAccept = await get(`${url}/metrics`, {
      accept: 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1',
    });
    for (const answer of [byPath, byAccept]) {
      expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
      const families = parsePrometheusText(answer.body.toString());
      expect(valueOf(families, 'llamero_host_memory_bytes', { kind: 'total' })).toBeGreaterThan(0);
      expect(families.get('llamero_gpu_utilization_percent')?.samples.map(({ value }) => value)).toEqual([
        97, 3,
      ]);
    }
    for (const path of ['/health', '/health?require=gpus']) {
      const health = await get(url + path);
      expect([health.status, health.json()]).toEqual([200, { status: 'healthy' }]);
    }
    expect((await get(url)).body.toString()).toContain('/metrics/prometheus');
    program.signal('SIGTERM');
    expect(await program.ended()).toBe(0);
    expect(tools.starts('nvidia-smi').length).toBeGreaterThan(0);
    expect(tools.starts('nvidia-smi').filter(isAlive)).toEqual([]);
  });

  test('leaves no tool behind when it is killed, as soon as that writes', async () => {
    const { tools, program } = await startMonitor(loop);
    await eventually(() => tools.starts('nvidia-smi').some(isAlive));
    program.signal('SIGKILL');
    expect(await program.ended()).toBe('SIGKILL');
    await eventually(() => !tools.starts('nvidia-smi').some(isAlive));
  });

  test('tells the client of a router', async () => {
    const { url } = await startMonitor(loop, ['--key-env', 'MONITOR_KEY'], { MONITOR_KEY: 'hush' });
    const client = createMonitorClient({
      url: new URL(url),
      key: 'hush',
      clock: systemClock,
      log: { info: () => {}, warn: () => {} },
      intervalMs: 50,
    });
    onTestFinished(() => client.close());
    const reading = await eventually(() => client.latest());
    expect(reading.gpus).toMatchObject([{ architecture: 'Ampere', utilizationPercent: 97 }, { index: 1 }]);
    expect(Math.abs(reading.atEpochMs - Date.now())).toBeLessThan(5000);
  });

  test('wants its key for what it tells, and none for its health', async () => {
    const { url } = await startMonitor(loop, ['--key-env', 'MONITOR_KEY'], { MONITOR_KEY: 'hush' });
    await eventually(async () => (await get(`${url}/health`)).status === 200);
    for (const path of ['/metrics', '/metrics/prometheus']) {
      const refused = await get(url + path, { authorization: 'Bearer wrong' });
      expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Bearer']);
      expect((await get(url + path, { authorization: 'Bearer hush' })).status).toBe(200);
      expect((await get(url + path, { 'x-api-key': 'hush' })).status).toBe(200);
    }
  });

  test('OLB-13 works without GPU tools that work, and says what is wrong', async () => {
    const { url, program } = await startMonitor('echo "NVIDIA-SMI has failed"; exit 9');
    const body = await eventually(async () => {
      const answer = await get(`${url}/metrics`);
      return answer.status === 200 && answer.json();
    });
    expect(body).toMatchObject({ gpu_count: 0, gpus: [], host: { gpus: [] } });
    await eventually(() => program.stderr().includes('ended with 9: NVIDIA-SMI has failed'));
    const health = await get(`${url}/health`);
    expect([health.status, health.json()]).toEqual([
      200,
      { status: 'degraded', gpu_count: 0, troubled: ['nvidia-smi'] },
    ]);
    expect((await get(`${url}/health?require=gpus`)).status).toBe(503);
  });

  test('knows its routes and methods', async () => {
    const { url } = await startMonitor(loop);
    expect((await get(`${url}/other`)).status).toBe(404);
    const posted = await get(`${url}/metrics`, {}, 'POST');
    expect([posted.status, posted.headers['allow']]).toEqual([405, 'GET, HEAD']);
    const head = await get(`${url}/health`, {}, 'HEAD');
    expect(head.body).toHaveLength(0);
  });
});

test.each([
  [['--listen', '0.0.0.0:0'], {}, /without a key/],
  [['--key-env', 'NOT_SET_ANYWHERE'], {}, /NOT_SET_ANYWHERE.*not set/],
])('refuses %j', async (flags, env, message) => {
  const program = await startProgram(['gpu-monitor', '--listen', '127.0.0.1:0', ...flags], {}, env);
  onTestFinished(() => program[Symbol.asyncDispose]());
  expect(await program.ended()).toBe(64);
  expect(program.stderr()).toMatch(message);
});
