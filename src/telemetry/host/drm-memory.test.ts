import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { fakeSysfs } from '../../../test/fake-sysfs.ts';
import { parseFdinfo, tellsDrmMemory, tryReadDrmMemory } from './drm-memory.ts';

const MiB = 2 ** 20;

/** As amdgpu tells it, from Linux 6.10 on. */
const amdgpu = `pos:	0
flags:	02100002
mnt_id:	27
ino:	862
drm-driver:	amdgpu
drm-client-id:	51
drm-pdev:	0000:03:00.0
pasid:	32774
drm-total-cpu:	0
drm-total-gtt:	22 MiB
drm-shared-gtt:	0
drm-resident-gtt:	22 MiB
drm-total-vram:	544428 KiB
drm-shared-vram:	13584 KiB
drm-active-vram:	260356 KiB
drm-resident-vram:	532 MiB
drm-memory-vram:	544428 KiB
drm-memory-gtt: 	22528 KiB
amd-requested-vram:	544428 KiB
drm-engine-gfx:	46464671 ns
`;

const older = (client: number, vramKib: number, card = '0000:03:00.0'): string =>
  `drm-driver:\tamdgpu\ndrm-pdev:\t${card}\ndrm-client-id:\t${client}\ndrm-memory-vram:\t${vramKib} KiB\ndrm-memory-gtt: \t1024 KiB\n`;

interface OpenFile {
  readonly target: string;
  readonly info: string;
}

const gpuFile = (info: string, target = '/dev/dri/renderD128'): OpenFile => ({ target, info });

beforeEach((context) => {
  context.skip(process.platform !== 'linux', '/proc and /sys are those of Linux');
});

/** A `/proc` with one process, 42. */
function fakeProc(...files: readonly OpenFile[]): string {
  const root = mkdtempSync(join(tmpdir(), 'llamero-proc-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true });
  });
  for (const folder of ['fd', 'fdinfo']) mkdirSync(join(root, '42', folder), { recursive: true });
  for (const [index, { target, info }] of files.entries()) {
    symlinkSync(target, join(root, '42', 'fd', String(index)));
    writeFileSync(join(root, '42', 'fdinfo', String(index)), info);
  }
  return root;
}

describe('what a descriptor tells of its memory', () => {
  test.each([
    ['amdgpu', amdgpu, 532, 22],
    ['older amdgpu', older(1, 2048), 2, 1],
    [
      'xe',
      'drm-driver:\txe\ndrm-pdev:\t0000:03:00.0\ndrm-client-id:\t7\ndrm-resident-vram0:\t3 MiB\ndrm-resident-gtt:\t0\n',
      3,
      0,
    ],
    ['i915', 'drm-driver:\ti915\ndrm-resident-local0:\t1 GiB\ndrm-resident-system0:\t9 MiB\n', 1024, 0],
  ])('is read of %s', (_, text, vramMiB, sharedMiB) => {
    expect(parseFdinfo(text)?.memory).toEqual({ vramBytes: vramMiB * MiB, sharedBytes: sharedMiB * MiB });
  });

  test.each([
    ['nvidia-drm, which tells nothing', 'pos:\t0\ndrm-driver:\tnvidia-drm\ndrm-pdev:\t0000:01:00.0\n'],
    ['a file', 'pos:\t0\nflags:\t02\n'],
    ['garbage', 'drm-memory-vram:\tlots\n'],
    ['nothing', ''],
  ])('is nothing for %s', (_, text) => {
    expect(parseFdinfo(text)).toBeUndefined();
  });
});

describe('GPU memory of a process', () => {
  test('is that of its clients on all cards, each client once', async () => {
    const procRoot = fakeProc(
      gpuFile(older(1, 1024)),
      gpuFile(older(1, 1024)),
      gpuFile(older(2, 2048)),
      gpuFile(older(1, 4096, '0000:04:00.0'), '/dev/dri/card1'),
      { target: '/dev/null', info: older(9, 999_999) },
    );
    expect(await tryReadDrmMemory(42, { procRoot, sysRoot: procRoot })).toEqual({
      vramBytes: 7 * MiB,
      sharedBytes: 3 * MiB,
    });
  });

  test.each([
    ['more', 8 * MiB, 8],
    ['less', 1 * MiB, 2],
  ])('is what ROCm says where that is %s', async (_, told, expectedMiB) => {
    const procRoot = fakeProc(gpuFile(older(1, 2048)), gpuFile('pos:\t0\n', '/dev/kfd'));
    const { root: sysRoot } = fakeSysfs({
      'class/kfd/kfd/proc/42/vram_30381': told / 2,
      'class/kfd/kfd/proc/42/vram_30382': told / 2,
      'class/kfd/kfd/proc/42/sdma_30381': 77,
    });
    const memory = await tryReadDrmMemory(42, { procRoot, sysRoot });
    expect(memory?.vramBytes).toBe(expectedMiB * MiB);
  });

  test('is not known of one that has no GPU open, whoever has its number elsewhere, nor of one that is gone', async () => {
    const { root: sysRoot } = fakeSysfs({ 'class/kfd/kfd/proc/42/vram_1': 5 });
    const procRoot = fakeProc({ target: '/dev/zero', info: '' });
    expect(await tryReadDrmMemory(42, { procRoot, sysRoot })).toBeUndefined();
    expect(await tryReadDrmMemory(43, { procRoot, sysRoot })).toBeUndefined();
    expect(await tryReadDrmMemory(process.pid)).toBeUndefined();
  });
});

test('a machine tells when a card of it has the files of amdgpu', async () => {
  const { root: sysRoot, write } = fakeSysfs({ 'class/drm/card0/device/vendor': '0x10de' });
  expect(await tellsDrmMemory({ sysRoot })).toBe(false);
  write({ 'class/drm/card1/device/mem_info_vram_total': 17_163_091_968 });
  expect(await tellsDrmMemory({ sysRoot })).toBe(true);
});
