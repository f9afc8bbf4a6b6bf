import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { totalmem, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { unknownGpu } from '../../domain/host-reading.ts';
import { findEnvironment, parseCpuinfo, readHardware, tryLimit, withoutTwins } from './hardware.ts';

/** A file system with these files. */
function root(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-root-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const core = (processor: number, socket: number, id: number) =>
  `processor\t: ${processor}\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R) Gold 6430\nphysical id\t: ${socket}\ncore id\t\t: ${id}\nflags\t\t: fpu sse4_2\n\n`;

describe('HW-1 the processor', () => {
  test('has sockets, cores and threads', () => {
    const text =
      core(0, 0, 0) + core(1, 0, 1) + core(2, 1, 0) + core(3, 1, 1) + core(4, 0, 0) + core(5, 1, 1);
    expect(parseCpuinfo(text)).toEqual({
      vendor: 'GenuineIntel',
      model: 'Intel(R) Xeon(R) Gold 6430',
      sockets: 2,
      cores: 4,
      threads: 6,
    });
  });

  test('has no counts that the system does not tell, or that cannot be', () => {
    const arm = 'processor\t: 0\nBogoMIPS\t: 50\n\nprocessor\t: 1\nBogoMIPS\t: 50\n';
    expect(parseCpuinfo(arm)).toMatchObject({ sockets: undefined, cores: undefined, threads: 2 });
    const contradiction = 'processor: 0\nphysical id: 0\ncore id: 0\nphysical id: 0\ncore id: 1\n';
    expect(parseCpuinfo(contradiction).cores).toBeUndefined();
    expect(parseCpuinfo('processor: 0\nphysical id: 0\nphysical id: 1\ncore id: 0\n').cores).toBeUndefined();
    expect(parseCpuinfo('').threads).toBeUndefined();
  });
});

describe('HW-1 the environment', () => {
  const signs = {
    kernel: '6.8.0-90-generic',
    cpuinfo: 'flags\t: fpu',
    productName: 'PowerEdge R760',
    cgroup: '0::/init.scope',
    hasDockerMark: false,
    hasPodmanMark: false,
  };

  test.each([
    ['the machine itself', {}, { kind: 'native', name: undefined }],
    ['Docker', { hasDockerMark: true, productName: 'KVM' }, { kind: 'container', name: 'docker' }],
    ['Podman', { hasPodmanMark: true }, { kind: 'container', name: 'podman' }],
    ['Kubernetes', { cgroup: '0::/kubepods/burstable/pod1' }, { kind: 'container', name: 'kubepods' }],
    ['WSL', { kernel: '5.15.167.4-microsoft-standard-WSL2' }, { kind: 'wsl', name: 'wsl' }],
    ['a virtual machine', { productName: 'KVM Virtual Machine' }, { kind: 'virtual_machine', name: 'kvm' }],
    ['an unnamed one', { cpuinfo: 'flags : fpu hypervisor' }, { kind: 'virtual_machine', name: undefined }],
    ['who knows', { cpuinfo: '' }, { kind: 'unknown', name: undefined }],
  ])('is %s', (_, changes, expected) => {
    expect(findEnvironment({ ...signs, ...changes })).toEqual(expected);
  });
});

describe('HW-1 the memory', () => {
  test.each([
    ['8589934592\n', 8_589_934_592],
    ['max\n', undefined],
    ['', undefined],
    ['0', undefined],
  ])('is limited by %j to %j', (text, bytes) => {
    expect(tryLimit(text)).toBe(bytes);
  });

  test.each(['sys/fs/cgroup/memory.max', 'sys/fs/cgroup/memory/memory.limit_in_bytes'])(
    'is that of the container: %s',
    async (path) => {
      const limited = await readHardware({
        platform: 'linux',
        gpus: [],
        root: root({ [path]: '1048576\n' }),
      });
      expect(limited.memoryBytes).toBe(1_048_576);
      const huge = root({ [path]: '9223372036854771712\n' });
      expect((await readHardware({ platform: 'linux', gpus: [], root: huge })).memoryBytes).toBe(totalmem());
    },
  );
});

test('HW-1 GPUs that are told of twice are one, and those of several vendors stay', () => {
  const gpu = (uuid: string | undefined, vendor: 'nvidia' | 'amd' = 'nvidia') => ({
    ...unknownGpu({ index: 7, vendor, name: 'GPU' }),
    uuid,
  });
  const gpus = withoutTwins([
    gpu('a'),
    gpu('a'),
    gpu(undefined, 'amd'),
    gpu(undefined, 'amd'),
    gpu('b', 'amd'),
  ]);
  expect(gpus.map(({ index, uuid, vendor }) => [index, uuid, vendor])).toEqual([
    [0, 'a', 'nvidia'],
    [1, undefined, 'amd'],
    [2, undefined, 'amd'],
    [3, 'b', 'amd'],
  ]);
});

test('the system is told by its name and version', async () => {
  const files = {
    'etc/os-release': 'PRETTY_NAME="Debian GNU/Linux 13"\nNAME="Debian GNU/Linux"\nVERSION_ID="13"\n',
  };
  const { system } = await readHardware({ platform: 'linux', gpus: [], root: root(files) });
  expect(system).toMatchObject({ family: 'linux', name: 'Debian GNU/Linux', version: '13' });
  const other = await readHardware({ platform: 'win32', gpus: [], root: root(files) });
  expect(other).toMatchObject({ system: { name: undefined }, environment: { kind: 'unknown' } });
  expect(other.cpu.threads).toBeGreaterThan(0);
});
