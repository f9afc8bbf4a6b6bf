import { describe, expect, test } from 'vitest';
import { unknownGpu } from '../../domain/host-reading.ts';
import type { GpuLook, GpuSource } from '../../telemetry/host/gpu-source.ts';
import { checkGpus } from './check-gpus.ts';

const GiB = 2 ** 30;
const card = {
  ...unknownGpu({ index: 0, vendor: 'nvidia', name: 'RTX' }),
  uuid: 'u1',
  memoryTotalBytes: 24 * GiB,
  memoryUsedBytes: 6 * GiB,
};

function sourceOf(name: string, look: GpuLook, closed: string[]): GpuSource {
  return {
    name,
    vendors: ['nvidia'],
    intervalMsMin: 0,
    read: () => Promise.resolve(look),
    close: () => {
      closed.push(name);
      return Promise.resolve();
    },
  };
}

async function check(looks: Readonly<Record<string, GpuLook>>, vramBytes?: number) {
  const closed: string[] = [];
  const sources = Object.entries(looks).map(([name, look]) => sourceOf(name, look, closed));
  const budget = vramBytes === undefined ? {} : { vramBytes };
  const routing = { kind: 'memory', budget, declared: new Map() } as const;
  const findings = await checkGpus({ sources, routing, signal: new AbortController().signal });
  expect(closed).toEqual(Object.keys(looks));
  return findings;
}

describe('checkGpus', () => {
  test('names the tools that work and those that are broken, not those that are not there', async () => {
    const findings = await check({
      'nvidia-smi': { type: 'read', gpus: [card] },
      'rocm-smi': { type: 'failed', problem: 'ended with 1' },
      'xpu-smi': { type: 'absent' },
    });
    expect(findings).toMatchObject([
      { level: 'ok', subject: 'nvidia-smi', saw: 'RTX (6.0 GiB of 24 GiB in use)' },
      { level: 'warning', subject: 'rocm-smi', saw: 'it is there but does not work: ended with 1' },
    ]);
  });

  test('says where it has looked when there is no GPU', async () => {
    expect(
      await check({ 'nvidia-smi': { type: 'absent' }, amdgpu: { type: 'read', gpus: [] } }),
    ).toMatchObject([{ level: 'note', saw: 'no GPU is told of by any of nvidia-smi, amdgpu' }]);
  });

  test('finds more GPU memory promised than there is, and counts a GPU once that two tools tell of', async () => {
    const looks = {
      'nvidia-smi': { type: 'read', gpus: [card] },
      lact: { type: 'read', gpus: [card] },
    } as const;
    expect((await check(looks, 24 * GiB)).at(-1)).toMatchObject({ level: 'ok', subject: 'routing' });
    expect((await check(looks, 25 * GiB)).at(-1)).toMatchObject({
      level: 'error',
      change: 'routing.router.settings.memory.vram: at most 24 GiB',
    });
  });
});
