/** What the router tells of the machine it runs on. */
import { beforeEach, describe, expect, test } from 'vitest';
import { hardwareSchema, performanceSchema } from '../../src/admin/contract-performance.ts';
import { fakeTools, printsForever } from '../fake-tools.ts';
import { parsePrometheusText, valueOf } from '../prometheus-text.ts';
import { eventually, isAlive } from '../processes/harness.ts';
import { ask } from '../integration/client.ts';
import { configText, startProgram } from '../integration/start-program.ts';
import { startRouter } from '../integration/start-router.ts';

const json = async (url: string): Promise<unknown> => (await ask(url).answer).json();

describe('a router that looks at its machine', () => {
  beforeEach((context) => {
    context.skip(process.platform !== 'linux', 'a shell script stands for nvidia-smi');
  });

  test('PERF-1, HW-1, API-1 tells of its load, its GPUs and its parts, and ends its tools with itself', async () => {
    const tools = fakeTools({
      'nvidia-smi': printsForever('nvidia-two-rtx3090.csv'),
    });
    await using program = await startProgram(
      ['serve', '--config', 'llamero.yaml'],
      {
        'llamero.yaml': configText({
          performance: { every: '5s' },
          models: { qwen: { cmd: `no-server --port \${PORT} -m ${tools.folder}/qwen.gguf` } },
        }),
      },
      { PATH: `${tools.env['PATH'] ?? ''}:${process.env['PATH'] ?? ''}` },
    );
    const url = await program.url();
    const body = await eventually(async () => {
      const answer = performanceSchema.parse(await json(`${url}/api/performance`));
      return answer.gpu_stats.length > 0 && answer;
    });
    expect(body.sys_stats).toMatchObject([{ disk: { folder: tools.folder } }]);
    expect(body.gpu_stats).toMatchObject([
      {
        id: 0,
        name: 'NVIDIA GeForce RTX 3090',
        uuid: 'GPU-6e4c1b0a-6f0d-3c0e-9f6e-0a4d1c0b7a11',
        temp_c: 71,
        vram_temp_c: null,
        gpu_util_pct: 97,
        mem_util_pct: 61,
        mem_used_mb: 21034,
        mem_total_mb: 24576,
        fan_speed_pct: 78,
        power_draw_w: 338.12,
      },
      { id: 1, gpu_util_pct: 3 },
    ]);
    const after = encodeURIComponent(body.sys_stats[0]?.timestamp ?? '');
    expect(await json(`${url}/api/performance?after=${after}`)).toMatchObject({
      sys_stats: [],
      gpu_stats: [],
    });

    const hardware = hardwareSchema.parse(await json(`${url}/api/hardware`));
    expect(hardware.accelerators).toMatchObject([
      {
        index: 0,
        vendor: 'nvidia',
        architecture: 'Ampere',
        memory: { kind: 'dedicated', capacity_bytes: 24576 * 2 ** 20 },
        driver: { name: 'nvidia', version: '560.35.03' },
        power_limit_watts: 350,
      },
      { index: 1 },
    ]);
    expect(JSON.stringify(hardware)).not.toContain('GPU-6e4c1b0a');

    const families = parsePrometheusText((await ask(`${url}/metrics`).answer).body.toString());
    const gpu = {
      gpu: '0',
      vendor: 'nvidia',
      name: 'NVIDIA GeForce RTX 3090',
      uuid: 'GPU-6e4c1b0a-6f0d-3c0e-9f6e-0a4d1c0b7a11',
    };
    expect(valueOf(families, 'llamero_gpu_utilization_percent', gpu)).toBe(97);
    expect(valueOf(families, 'llamero_host_memory_bytes', { kind: 'total' })).toBeGreaterThan(0);

    program.signal('SIGTERM');
    expect(await program.ended()).toBe(0);
    expect(tools.starts('nvidia-smi').length).toBeGreaterThan(0);
    expect(tools.starts('nvidia-smi').filter(isAlive)).toEqual([]);
  });
});

test('PERF-1 a router that does not look says so, until a reload switches it on', async () => {
  await using router = await startRouter({ performance: { disabled: true } });
  const off = await ask(`${router.url}/api/performance`).answer;
  expect([off.status, off.json()]).toEqual([503, { enabled: false }]);
  const families = parsePrometheusText((await ask(`${router.url}/metrics`).answer).body.toString());
  expect(families.get('llamero_host_memory_bytes')?.samples).toEqual([]);
  await router.reload({});
  await eventually(async () => {
    const on = performanceSchema.parse(await json(`${router.url}/api/performance`));
    return on.sys_stats.length > 0;
  });
});

test.each(['yesterday', '2026-01-01', ''])('PERF-1 %j is no moment to begin after', async (after) => {
  await using router = await startRouter({});
  const answer = await ask(`${router.url}/api/performance?after=${after}`).answer;
  expect([answer.status, answer.json()]).toMatchObject([400, { error: { param: 'after' } }]);
});
