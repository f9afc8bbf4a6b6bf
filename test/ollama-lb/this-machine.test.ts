/** The GPUs of the machine that the router runs on: of its own models, and of backends that say so. */
import { beforeEach, expect, test } from 'vitest';
import { statusSchema } from '../../src/admin/contract.ts';
import { fakeTools, printsForever } from '../fake-tools.ts';
import { ask } from '../integration/client.ts';
import { configText, startProgram } from '../integration/start-program.ts';
import { until } from '../integration/start-router.ts';
import { parsePrometheusText, valueOf } from '../prometheus-text.ts';

beforeEach((context) => {
  context.skip(process.platform !== 'linux', 'a shell script stands for nvidia-smi');
});

test('models of the router and backends with `gpuMonitor: local` have the load of this machine', async () => {
  const tools = fakeTools({ 'nvidia-smi': printsForever('nvidia-two-rtx3090.csv') });
  const config = configText({
    models: { own: { cmd: 'false --port ${PORT}' } },
    backends: {
      both: { url: 'http://127.0.0.1:1/both', gpuMonitor: 'local' },
      first: { url: 'http://127.0.0.1:1/first', gpuMonitor: { url: 'local', gpus: [0] } },
      elsewhere: { url: 'http://127.0.0.1:1/elsewhere' },
    },
  });
  await using program = await startProgram(
    ['serve', '--config', 'llamero.yaml'],
    { 'llamero.yaml': config },
    { PATH: `${tools.env['PATH'] ?? ''}:${process.env['PATH'] ?? ''}` },
  );
  const url = await program.url();
  const gpus = async () => {
    const { backends } = statusSchema.parse((await ask(`${url}/api/status`).answer).json());
    return Object.fromEntries(backends.map(({ id, gpu }) => [id, gpu]));
  };
  await until(async () => typeof (await gpus())['own']?.load_percent === 'number');
  expect(await gpus()).toMatchObject({
    own: { load_percent: 50, count: 2, memory_total_bytes: 48 * 2 ** 30, temperature_celsius: 71 },
    both: { load_percent: 50, count: 2 },
    first: { load_percent: 97, count: 1 },
    elsewhere: null,
  });
  const page = parsePrometheusText((await ask(`${url}/metrics`).answer).body.toString());
  const loadOf = (backend: string) => valueOf(page, 'llamero_backend_gpu_load_percent', { backend });
  expect(['own', 'first', 'elsewhere'].map(loadOf)).toEqual([50, 97, undefined]);
  program.signal('SIGTERM');
  expect(await program.ended()).toBe(0);
});
