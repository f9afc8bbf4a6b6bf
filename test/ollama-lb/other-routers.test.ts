/** How busy the GPUs of a machine are whose models another Llamero runs. */
import { expect, test } from 'vitest';
import { fakeTools, printsForever } from '../fake-tools.ts';
import { ask } from '../integration/client.ts';
import { configText, startProgram } from '../integration/start-program.ts';
import { startRouter, until } from '../integration/start-router.ts';

const probes = { interval: '100ms', deadInterval: '100ms', gpuInterval: '100ms' };

test('a Llamero tells its load as a monitor does, to whoever may read', async (context) => {
  context.skip(process.platform !== 'linux', 'a shell script stands for nvidia-smi');
  const tools = fakeTools({ 'nvidia-smi': printsForever('nvidia-two-rtx3090.csv') });
  const keys = [
    { name: 'reader', key: 'may-read', admin: 'read' },
    { name: 'user', key: 'may-ask', admin: 'none' },
  ];
  await using far = await startProgram(
    ['serve', '--config', 'llamero.yaml'],
    { 'llamero.yaml': configText({ apiKeys: keys, models: { m: { cmd: 'false --port ${PORT}' } } }) },
    { PATH: `${tools.env['PATH'] ?? ''}:${process.env['PATH'] ?? ''}` },
  );
  const url = await far.url();
  const gpuMonitor = { url: `${url}/api/gpu-monitor`, apiKey: 'may-read', gpus: [0] };
  const statusFor = async (key: string) =>
    (await ask(gpuMonitor.url, { headers: { authorization: `Bearer ${key}` } }).answer).status;
  await until(async () => (await statusFor('may-read')) === 200);
  expect([await statusFor('may-ask'), await statusFor('nobody')]).toEqual([403, 401]);
  await using router = await startRouter({
    backends: { far: { url, apiKey: 'may-read', gpuMonitor } },
    probes,
  });
  await until(async () => (await router.status()).backends[0]?.gpu?.load_percent === 97);
});
