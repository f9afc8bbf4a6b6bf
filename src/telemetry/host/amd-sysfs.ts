/**
 * AMD GPUs as the kernel's amdgpu driver shows them: no program is started. Must not wake a GPU that sleeps, so of such a
 * one only its rest is told.
 */
import { join } from 'node:path';
import { unknownGpu, type GpuReading } from '../../domain/host-reading.ts';
import { passingSource, type GpuSource } from './gpu-source.ts';
import {
  list,
  listCards,
  pickSensor,
  readSensors,
  scaled,
  tryReadNumber,
  tryReadText,
  type DrmCard,
} from './sysfs.ts';

const vendorId = '0x1002';

/** `root`: `/sys`. */
export function createAmdSysfsSource(root: string): GpuSource {
  return passingSource({
    name: 'amdgpu',
    vendors: ['amd'],
    intervalMsMin: 0,
    async read() {
      const cards = await listCards(root, vendorId);
      const driverVersion = await tryReadText(join(root, 'module', 'amdgpu', 'version'));
      const gpus: GpuReading[] = [];
      for (const card of cards) {
        const gpu = await tryReadCard(card, { root, index: gpus.length, driverVersion });
        if (gpu !== undefined) gpus.push(gpu);
      }
      return gpus.length === 0 ? { type: 'absent' } : { type: 'read', gpus };
    },
  });
}

interface CardContext {
  readonly root: string;
  readonly index: number;
  readonly driverVersion: string | undefined;
}

/** undefined: another driver has it, which tells none of this. */
async function tryReadCard({ device }: DrmCard, context: CardContext): Promise<GpuReading | undefined> {
  const at = (name: string): string => join(device, name);
  const memoryTotalBytes = await tryReadNumber(at('mem_info_vram_total'));
  if (memoryTotalBytes === undefined) return undefined;
  const productId = await tryReadText(at('device'));
  const name = (await tryReadText(at('product_name'))) ?? `AMD GPU ${productId ?? ''}`.trim();
  const gpu: GpuReading = {
    ...unknownGpu({ index: context.index, vendor: 'amd', name }),
    uuid: await tryReadText(at('unique_id')),
    architecture: await tryReadArchitecture(device, context.root),
    driver: { name: 'amdgpu', version: context.driverVersion },
    memoryKind: 'dedicated',
    memoryTotalBytes,
  };
  if ((await tryReadText(at('power/runtime_status'))) === 'suspended')
    return { ...gpu, utilizationPercent: 0 };
  const temperatures = await readSensors(device, 'temp', 'input');
  const clocks = await readSensors(device, 'freq', 'input');
  const average = await readSensors(device, 'power', 'average');
  const power = average.length > 0 ? average : await readSensors(device, 'power', 'input');
  return {
    ...gpu,
    utilizationPercent: await tryReadNumber(at('gpu_busy_percent')),
    memoryBusyPercent: await tryReadNumber(at('mem_busy_percent')),
    memoryUsedBytes: await tryReadNumber(at('mem_info_vram_used')),
    temperatureCelsius: scaled(pickSensor(temperatures, ['junction', 'edge']), 1000),
    memoryTemperatureCelsius: scaled(temperatures.find(({ label }) => label === 'mem')?.value, 1000),
    powerWatts: scaled(power[0]?.value, 1_000_000),
    powerLimitWatts: scaled((await readSensors(device, 'power', 'cap'))[0]?.value, 1_000_000),
    clockMhz: scaled(pickSensor(clocks, ['sclk']), 1_000_000),
    memoryClockMhz: scaled(clocks.find(({ label }) => label === 'mclk')?.value, 1_000_000),
    fanPercent: await tryReadFan(device),
  };
}

/** It counts to 255. */
async function tryReadFan(device: string): Promise<number | undefined> {
  const [monitor] = await list(join(device, 'hwmon'));
  if (monitor === undefined) return undefined;
  const value = await tryReadNumber(join(device, 'hwmon', monitor, 'pwm1'));
  return value === undefined ? undefined : Math.round((value / 255) * 100);
}

/** The compute driver counts its nodes apart from the cards; both know the number of the render device. */
async function tryReadArchitecture(device: string, root: string): Promise<string | undefined> {
  const render = (await list(join(device, 'drm'))).find((name) => /^renderD\d+$/.test(name));
  if (render === undefined) return undefined;
  const nodes = join(root, 'class', 'kfd', 'kfd', 'topology', 'nodes');
  for (const node of await list(nodes)) {
    const properties = (await tryReadText(join(nodes, node, 'properties'))) ?? '';
    if (!new RegExp(`^drm_render_minor ${render.slice('renderD'.length)}$`, 'm').test(properties)) continue;
    const version = /^gfx_target_version (\d+)$/m.exec(properties)?.[1];
    return version === undefined ? undefined : tryGfxName(Number(version));
  }
  return undefined;
}

/** 90010 is gfx90a: two decimal digits each for the minor number and the stepping, which the name has in one hexadecimal. */
export function tryGfxName(version: number): string | undefined {
  if (!Number.isInteger(version) || version < 10_000) return undefined;
  const major = Math.floor(version / 10_000);
  const minor = Math.floor(version / 100) % 100;
  return `gfx${major}${minor.toString(16)}${(version % 100).toString(16)}`;
}
