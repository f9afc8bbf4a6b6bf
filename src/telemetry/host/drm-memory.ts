/**
 * What GPU memory the kernel says that processes have: of AMD's driver and of Intel's for cards with memory of their own.
 * Starts no program and needs no rights beyond those of the process's owner. A process that ends meanwhile has none.
 */
import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { list, tryReadNumber, tryReadText } from './sysfs.ts';

export interface DrmMemory {
  /** On the cards. */
  readonly vramBytes: number;
  /** Main memory that a GPU works with (GTT): of no process's own size, and most of it where there is no other. */
  readonly sharedBytes: number;
}

export interface DrmMemoryOptions {
  /** For tests; default `/proc`. */
  readonly procRoot?: string;
  /** For tests; default `/sys`. */
  readonly sysRoot?: string;
}

const KiB = 1024;
const unitBytes: Readonly<Record<string, number>> = { '': 1, KiB, MiB: KiB ** 2, GiB: KiB ** 3 };

/** Memory on the card is `vram` of amdgpu, `vram0` … of xe, `local0` … of i915. */
const cardRegion = /^(?:vram|local)\d*$/;

/** Whether this machine has a card whose driver tells the memory of processes, so that one that has none uses none. */
export async function tellsDrmMemory({ sysRoot = '/sys' }: DrmMemoryOptions = {}): Promise<boolean> {
  const drm = join(sysRoot, 'class', 'drm');
  for (const card of (await list(drm)).filter((name) => /^card\d+$/.test(name))) {
    const total = await tryReadNumber(join(drm, card, 'device', 'mem_info_vram_total'));
    if (total !== undefined) return true;
  }
  return false;
}

/** Of a process, over all cards; undefined = it has nothing to do with a GPU whose driver tells. */
export async function tryReadDrmMemory(
  pid: number,
  { procRoot = '/proc', sysRoot = '/sys' }: DrmMemoryOptions = {},
): Promise<DrmMemory | undefined> {
  const folder = join(procRoot, String(pid));
  const files = await gpuFilesOf(folder);
  if (files.length === 0) return undefined;
  const clients = new Map<string, DrmMemory>();
  for (const number of files) {
    const client = parseFdinfo((await tryReadText(join(folder, 'fdinfo', number))) ?? '');
    // Several descriptors may belong to one client: its memory is told by each of them.
    if (client !== undefined) clients.set(client.id ?? number, client.memory);
  }
  const kfdBytes = await readKfdBytes(join(sysRoot, 'class', 'kfd', 'kfd', 'proc', String(pid)));
  if (clients.size === 0 && kfdBytes === undefined) return undefined;
  const sum = (key: keyof DrmMemory): number =>
    [...clients.values()].reduce((total, memory) => total + memory[key], 0);
  // Both count what ROCm has on a card, older kernels in one of the places alone.
  return { vramBytes: Math.max(sum('vramBytes'), kfdBytes ?? 0), sharedBytes: sum('sharedBytes') };
}

/** Numbers of the open files that lead to a GPU. */
async function gpuFilesOf(folder: string): Promise<string[]> {
  const numbers = await list(join(folder, 'fd'));
  const targets = await Promise.all(
    numbers.map((number) => readlink(join(folder, 'fd', number)).catch(() => '')),
  );
  return numbers.filter((_number, index) => /^\/dev\/(?:dri\/|kfd$)/.test(targets[index] ?? ''));
}

/** undefined: it is no GPU, or its driver tells no memory. */
export function parseFdinfo(
  text: string,
): { readonly id: string | undefined; readonly memory: DrmMemory } | undefined {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, key, value] = /^(drm-[^:\s]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) values.set(key, value);
  }
  let [vramBytes, sharedBytes, isTold] = [0, 0, false];
  for (const region of regionsOf(values)) {
    // `drm-memory` is the older name of what is resident.
    const bytes = tryBytes(values.get(`drm-resident-${region}`) ?? values.get(`drm-memory-${region}`));
    if (bytes === undefined) continue;
    isTold = true;
    if (cardRegion.test(region)) vramBytes += bytes;
    else if (region === 'gtt') sharedBytes += bytes;
  }
  const [card, client] = [values.get('drm-pdev'), values.get('drm-client-id')];
  const id = client === undefined ? undefined : `${card} ${client}`;
  return isTold ? { id, memory: { vramBytes, sharedBytes } } : undefined;
}

function regionsOf(values: ReadonlyMap<string, string>): Set<string> {
  return new Set([...values.keys()].flatMap((key) => /^drm-(?:resident|memory)-(.+)$/.exec(key)?.[1] ?? []));
}

function tryBytes(text: string | undefined): number | undefined {
  const [, amount, unit = ''] = /^(\d+)(?: ([KMG]iB))?$/.exec(text ?? '') ?? [];
  const factor = unitBytes[unit];
  return amount === undefined || factor === undefined ? undefined : Number(amount) * factor;
}

/** ROCm's own account, a file for each card. */
async function readKfdBytes(folder: string): Promise<number | undefined> {
  let sum: number | undefined;
  for (const file of (await list(folder)).filter((name) => /^vram_\d+$/.test(name))) {
    const bytes = await tryReadNumber(join(folder, file));
    if (bytes !== undefined) sum = (sum ?? 0) + bytes;
  }
  return sum;
}
