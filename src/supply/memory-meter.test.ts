import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { fakeSysfs } from '../../test/fake-sysfs.ts';
import { eventually, isLinux, temporaryFolder } from '../../test/processes/harness.ts';
import { model } from '../../test/resolved-models.ts';
import type { ResolvedModel, ResolvedRouting } from '../config/models.ts';
import type { DrmMemoryOptions } from '../telemetry/host/drm-memory.ts';
import { MemoryMeter, type RunningModel } from './memory-meter.ts';

const MiB = 2 ** 20;

/** A process that holds so much memory for as long as the test runs; `forks`: in a child of its own. */
async function holding(size: number, forks = false): Promise<number> {
  const hold = `globalThis.kept = Buffer.alloc(${size} * 2 ** 20, 1); console.log(process.pid); setInterval(() => {}, 1e6);`;
  const fork = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(hold)}], { stdio: 'inherit' });`;
  const child = spawn(process.execPath, ['-e', forks ? fork : hold], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('no process');
  onTestFinished(() => {
    process.kill(-pid, 'SIGKILL');
  });
  await once(child.stdout, 'data');
  return pid;
}

const noRouting: ResolvedRouting = { kind: 'group', groups: [] };

interface RigOptions {
  readonly routing?: ResolvedRouting;
  /** What nvidia-smi does; without it there is none. */
  readonly tool?: string;
  /** GPU memory and GTT by process, in MiB, as amdgpu tells them; without it there is no such card. */
  readonly amdgpu?: ReadonlyMap<number, readonly [vram: number, gtt: number]>;
}

/** Where the kernel tells of GPUs, on a machine with one of AMD. */
function amdRoots(memory: ReadonlyMap<number, readonly [number, number]>): DrmMemoryOptions {
  const { root: sysRoot } = fakeSysfs({ 'class/drm/card0/device/mem_info_vram_total': 24 * 2 ** 30 });
  const procRoot = temporaryFolder();
  for (const [pid, [vram, gtt]] of memory) {
    for (const name of ['fd', 'fdinfo']) mkdirSync(join(procRoot, String(pid), name), { recursive: true });
    symlinkSync('/dev/dri/renderD128', join(procRoot, String(pid), 'fd', '9'));
    const lines = ['drm-driver:\tamdgpu', `drm-memory-vram:\t${vram} MiB`, `drm-memory-gtt: \t${gtt} MiB`];
    writeFileSync(join(procRoot, String(pid), 'fdinfo', '9'), lines.join('\n'));
  }
  return { sysRoot, procRoot };
}

function rig({ routing = noRouting, tool, amdgpu }: RigOptions = {}) {
  const folder = temporaryFolder();
  const file = join(folder, 'nvidia-smi');
  writeFileSync(`${folder}/asked`, '');
  if (tool !== undefined) {
    writeFileSync(file, `#!/bin/sh\necho asked >> '${folder}/asked'\n${tool}\n`);
    chmodSync(file, 0o755);
  }
  const running: RunningModel[] = [];
  const warnings: string[] = [];
  const changes: string[] = [];
  const meter = new MemoryMeter({
    log: { info: () => {}, warn: (_, message) => warnings.push(message) },
    gpu: { env: { PATH: `${folder}:/usr/bin:/bin` }, timeoutMs: 2000 },
    drm: amdgpu === undefined ? { procRoot: folder, sysRoot: folder } : amdRoots(amdgpu),
    platform: process.platform,
    running: () => [...running],
    routing: () => routing,
    onChange: (id) => changes.push(id),
    intervalMs: 20,
  });
  onTestFinished(() => meter.close());
  return {
    meter,
    warnings,
    changes,
    run: (each: ResolvedModel, pid: number) => {
      running.push({ model: each, pid });
      meter.measure();
    },
    asked: () => readFileSync(`${folder}/asked`, 'utf8').split('\n').length - 1,
  };
}

function mebibytes(bytes: number | undefined): number {
  return (bytes ?? Number.NaN) / MiB;
}

describe('the meter', () => {
  beforeEach((context) => {
    context.skip(!isLinux, 'main memory is measured on Linux only');
  });

  test('finds the main memory of a process, and of what it started', async () => {
    const { meter, run, changes } = rig();
    const [alone, wrapped] = [model('alone', { cmd: '1' }), model('wrapped', { cmd: '2' })];
    run(alone, await holding(300));
    run(wrapped, await holding(300, true));
    await eventually(
      () => meter.needOf(alone)?.ramBytes !== undefined && meter.needOf(wrapped) !== undefined,
    );
    for (const each of [alone, wrapped]) {
      expect(mebibytes(meter.needOf(each)?.ramBytes)).toBeGreaterThan(300);
      expect(mebibytes(meter.needOf(each)?.ramBytes)).toBeLessThan(500);
      expect(meter.needOf(each)?.vramBytes).toBeUndefined();
    }
    expect(new Set(changes)).toEqual(new Set(['alone', 'wrapped']));
  });

  test('finds the GPU memory by process id, none where the tool lists others of ours, in one call for all', async () => {
    const [pid, other] = [await holding(1), await holding(1)];
    const { meter, run } = rig({ tool: `echo "1, 999\n${pid}, 100\n${pid}, 60"` });
    const [gpu, cpu] = [model('gpu', { cmd: '1' }), model('cpu', { cmd: '2' })];
    run(gpu, pid);
    run(cpu, other);
    await eventually(() => meter.needOf(cpu)?.vramBytes !== undefined);
    expect([gpu, cpu].map((each) => mebibytes(meter.needOf(each)?.vramBytes))).toEqual([160, 0]);
  });

  test('knows nothing of GPU memory where the tool lists nobody of ours, as in a container', async () => {
    const { meter, run, asked } = rig({ tool: 'echo "999999999, 5"' });
    const one = model('a');
    run(one, await holding(1));
    await eventually(() => asked() > 2);
    expect(meter.needOf(one)?.vramBytes).toBeUndefined();
  });

  test('finds the memory of AMD GPUs without any tool, that in main memory too, and none of who has no GPU open', async () => {
    const [pid, other] = [await holding(1), await holding(1)];
    const { meter, run, warnings } = rig({ amdgpu: new Map([[pid, [160, 1600]]]) });
    const [gpu, cpu] = [model('gpu', { cmd: '1' }), model('cpu', { cmd: '2' })];
    run(gpu, pid);
    run(cpu, other);
    await eventually(() => [gpu, cpu].every((each) => meter.needOf(each)?.vramBytes !== undefined));
    expect([gpu, cpu].map((each) => mebibytes(meter.needOf(each)?.vramBytes))).toEqual([160, 0]);
    expect(mebibytes(meter.needOf(gpu)?.ramBytes)).toBeGreaterThan(1600);
    expect(mebibytes(meter.needOf(cpu)?.ramBytes)).toBeLessThan(500);
    expect(warnings).toEqual([]);
  });

  test('adds up GPUs of both vendors, and knows nothing where one of them may hide something', async () => {
    const [both, amd, hidden] = [await holding(1), await holding(1), await holding(1)];
    const amdgpu = new Map<number, readonly [number, number]>([
      [both, [160, 0]],
      [amd, [320, 0]],
    ]);
    const seen = rig({ amdgpu, tool: `echo "${both}, 800"` });
    const unseen = rig({ amdgpu, tool: 'echo "999999999, 5"' });
    const models = [
      model('both', { cmd: '1' }),
      model('amd', { cmd: '2' }),
      model('hidden', { cmd: '3' }),
    ] as const;
    for (const each of [seen, unseen]) {
      each.run(models[0], both);
      each.run(models[1], amd);
      each.run(models[2], hidden);
    }
    const found = ({ meter }: typeof seen) => models.map((each) => meter.needOf(each)?.vramBytes);
    await eventually(() => found(seen).every((bytes) => bytes !== undefined) && unseen.asked() > 3);
    expect(found(seen).map(mebibytes)).toEqual([960, 320, 0]);
    expect(found(unseen).map(mebibytes)).toEqual([160, 320, Number.NaN]);
  });

  test('measures again and again, and reports growth', async () => {
    const folder = temporaryFolder();
    const pid = await holding(1);
    writeFileSync(`${folder}/now`, `${pid}, 100`);
    const { meter, run, changes } = rig({ tool: `cat ${folder}/now` });
    const one = model('a');
    run(one, pid);
    await eventually(() => meter.needOf(one)?.vramBytes === 112 * MiB);
    writeFileSync(`${folder}/now`, `${pid}, 1000`);
    await eventually(() => meter.needOf(one)?.vramBytes === 1008 * MiB);
    expect(changes.length).toBeGreaterThan(1);
  });

  test.each([
    ['fails', 'echo "NVIDIA-SMI has failed"; exit 9'],
    ['crashes', 'kill -9 $$'],
    ['talks nonsense', 'echo "What?"'],
  ])('goes on without GPU memory, and says so once, when the tool %s', async (_, tool) => {
    const { meter, run, warnings, asked } = rig({ tool });
    const one = model('a');
    run(one, await holding(1));
    await eventually(() => asked() > 3);
    expect(meter.needOf(one)).toMatchObject({ vramBytes: undefined, ramBytes: expect.any(Number) });
    expect(warnings).toEqual(['GPU memory cannot be measured: nvidia-smi does not work']);
  });

  test('does not wait for a slow tool with main memory, nor when it is closed', async () => {
    const { meter, run, warnings } = rig({ tool: 'exec sleep 60' });
    const one = model('a');
    run(one, await holding(1));
    const startedMs = performance.now();
    await eventually(() => meter.needOf(one)?.ramBytes !== undefined);
    await meter.close();
    expect(performance.now() - startedMs).toBeLessThan(1500);
    expect(warnings).toEqual([]);
  });

  test('warns once of a declaration that is too small, and of a need that nobody knows', async () => {
    const pid = await holding(100);
    const need = { vramBytes: undefined, ramBytes: 10 * MiB };
    const { run, warnings, asked } = rig({
      routing: {
        kind: 'memory',
        budget: { vramBytes: 1e9, ramBytes: 1e9 },
        declared: new Map([['low', need]]),
      },
      tool: 'exit 0',
    });
    run(model('low'), pid);
    await eventually(() => asked() > 3);
    expect(warnings).toEqual([
      'The GPU memory of the model cannot be measured, so it runs alone: set its memory.vram',
      'Model takes more main memory than its memory.ram says',
    ]);
  });
});
