/**
 * What this machine is made of: system, processor, memory and GPUs, without anything that tells one machine from another
 * of its kind. Best effort; what cannot be found out is undefined.
 */
import { access, readFile } from 'node:fs/promises';
import * as os from 'node:os';
import { join } from 'node:path';
import type { GpuReading } from '../../domain/host-reading.ts';

export interface Hardware {
  /** As the system spells it. */
  readonly architecture: string;
  readonly system: SystemName;
  readonly environment: Environment;
  readonly cpu: Cpu;
  /** What programs may use: the limit of a container where that is lower. */
  readonly memoryBytes: number;
  readonly gpus: readonly GpuReading[];
}

export interface SystemName {
  readonly family: string;
  /** `Debian GNU/Linux` */
  readonly name: string | undefined;
  readonly version: string | undefined;
  readonly kernel: string;
}

export interface Environment {
  readonly kind: 'native' | 'container' | 'virtual_machine' | 'wsl' | 'unknown';
  /** `docker`, `kvm` … */
  readonly name: string | undefined;
}

export interface Cpu {
  readonly vendor: string | undefined;
  readonly model: string | undefined;
  readonly sockets: number | undefined;
  readonly cores: number | undefined;
  readonly threads: number | undefined;
}

export interface HardwareOptions {
  readonly platform: NodeJS.Platform;
  readonly gpus: readonly GpuReading[];
  /** For tests; default `/`. */
  readonly root?: string;
}

/** Never rejects. */
export async function readHardware({ platform, gpus, root = '/' }: HardwareOptions): Promise<Hardware> {
  const isLinux = platform === 'linux';
  const read = (path: string): Promise<string> =>
    isLinux ? readFile(join(root, path), 'utf8').catch(() => '') : Promise.resolve('');
  const cpuinfo = await read('proc/cpuinfo');
  const limits = await Promise.all(
    ['sys/fs/cgroup/memory.max', 'sys/fs/cgroup/memory/memory.limit_in_bytes'].map(read),
  );
  const has = (path: string): Promise<boolean> =>
    access(join(root, path)).then(
      () => true,
      () => false,
    );
  const release = parseOsRelease(await read('etc/os-release'));
  return {
    architecture: os.machine(),
    system: { family: platform, name: release.name, version: release.version, kernel: os.release() },
    environment: isLinux
      ? findEnvironment({
          kernel: os.release(),
          cpuinfo,
          productName: await read('sys/class/dmi/id/product_name'),
          cgroup: await read('proc/1/cgroup'),
          hasDockerMark: await has('.dockerenv'),
          hasPodmanMark: await has('run/.containerenv'),
        })
      : { kind: 'unknown', name: undefined },
    cpu: withModel(parseCpuinfo(cpuinfo)),
    memoryBytes: Math.min(os.totalmem(), ...limits.map(tryLimit).filter((limit) => limit !== undefined)),
    gpus: withoutTwins(gpus),
  };
}

/** Of `/proc/cpuinfo`; counts that contradict each other are undefined. */
export function parseCpuinfo(text: string): Cpu {
  const all = (name: string): string[] =>
    [...text.matchAll(new RegExp(`^${name}\\s*: *(.+)$`, 'gm'))].map(([, value = '']) => value.trim());
  const threads = all('processor').length || undefined;
  const packages = all('physical id');
  const coreIds = all('core id');
  const sockets = new Set(packages).size || undefined;
  const cores =
    coreIds.length === packages.length
      ? new Set(packages.map((socket, index) => `${socket} ${coreIds[index]}`)).size || undefined
      : undefined;
  return {
    vendor: all('vendor_id')[0],
    model: all('model name')[0],
    sockets,
    cores: cores !== undefined && threads !== undefined && cores <= threads ? cores : undefined,
    threads,
  };
}

export interface EnvironmentSigns {
  readonly kernel: string;
  readonly cpuinfo: string;
  /** Of the machine's firmware. */
  readonly productName: string;
  /** Of the first process. */
  readonly cgroup: string;
  readonly hasDockerMark: boolean;
  readonly hasPodmanMark: boolean;
}

/** A container inside of a virtual machine counts as a container. */
export function findEnvironment(signs: EnvironmentSigns): Environment {
  const { kernel, cpuinfo, productName, cgroup, hasDockerMark, hasPodmanMark } = signs;
  if (hasDockerMark) return { kind: 'container', name: 'docker' };
  if (hasPodmanMark) return { kind: 'container', name: 'podman' };
  const inside = /\b(kubepods|docker|lxc|libpod|containerd)\b/.exec(cgroup)?.[1];
  if (inside !== undefined) return { kind: 'container', name: inside };
  if (/microsoft/i.test(kernel)) return { kind: 'wsl', name: 'wsl' };
  const machine = /KVM|VMware|VirtualBox|QEMU|Virtual Machine|HVM domU|Google Compute Engine/.exec(
    productName,
  );
  if (machine !== null) return { kind: 'virtual_machine', name: machine[0].toLowerCase() };
  if (/^flags\s*:.*\bhypervisor\b/m.test(cpuinfo)) return { kind: 'virtual_machine', name: undefined };
  return { kind: cpuinfo === '' ? 'unknown' : 'native', name: undefined };
}

/** Of a memory limit; none is `max`, or a number beyond all memory. */
export function tryLimit(text: string): number | undefined {
  const bytes = /^\d+$/.test(text.trim()) ? Number(text) : 0;
  return bytes > 0 ? bytes : undefined;
}

/** Those with the same identity are one; the first is kept. */
export function withoutTwins(gpus: readonly GpuReading[]): GpuReading[] {
  const seen = new Set<string>();
  const single = gpus.filter(({ uuid }) => {
    const isTwin = uuid !== undefined && seen.has(uuid);
    if (uuid !== undefined) seen.add(uuid);
    return !isTwin;
  });
  return single.map((gpu, index) => ({ ...gpu, index }));
}

function parseOsRelease(text: string): { name: string | undefined; version: string | undefined } {
  const value = (key: string): string | undefined =>
    new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1] || undefined;
  return { name: value('NAME'), version: value('VERSION_ID') };
}

/** ARM processors and other systems do not tell their model there. */
function withModel(cpu: Cpu): Cpu {
  const known = os.cpus();
  return {
    ...cpu,
    model: cpu.model ?? (known[0]?.model.trim() || undefined),
    threads: cpu.threads ?? (known.length || undefined),
  };
}
