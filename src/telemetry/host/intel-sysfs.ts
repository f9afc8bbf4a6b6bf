/**
 * Intel GPUs as the kernel's i915 and xe drivers show them. They do not count what the engines do, only how long the GPU
 * slept: what is left is told as its utilisation. The amount of used memory they keep to the superuser.
 */
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
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

const vendorId = '0x8086';

/** `root`: `/sys`. */
export function createIntelSysfsSource(root: string, clock: Clock): GpuSource {
  const counters = new Map<string, Counter>();
  return passingSource({
    name: 'intel drm',
    vendors: ['intel'],
    intervalMsMin: 0,
    async read() {
      const cards = await listCards(root, vendorId);
      const gpus: GpuReading[] = [];
      for (const [index, card] of cards.entries())
        gpus.push(await readCard(card, { index, clock, counters }));
      return gpus.length === 0 ? { type: 'absent' } : { type: 'read', gpus };
    },
  });
}

interface Counter {
  readonly atMs: number;
  readonly value: number;
}

interface CardContext {
  readonly index: number;
  readonly clock: Clock;
  /** As they stood at the look before. */
  readonly counters: Map<string, Counter>;
}

async function readCard(card: DrmCard, context: CardContext): Promise<GpuReading> {
  const { device, folder } = card;
  const at = (name: string): string => join(device, name);
  const memoryTotalBytes = await tryReadNumber(at('tile0/physical_vram_size_bytes'));
  const sleptMs =
    (await tryReadNumber(at('tile0/gt0/gtidle/idle_residency_ms'))) ??
    (await tryReadNumber(join(folder, 'gt/gt0/rc6_residency_ms')));
  const energyMicrojoules = pickSensor(await readSensors(device, 'energy', 'input'), ['card', 'pkg']);
  const temperatures = await readSensors(device, 'temp', 'input');
  const sleptShare = perMs(`${card.name} sleep`, sleptMs, context);
  const productId = await tryReadText(at('device'));
  return {
    ...unknownGpu({ index: context.index, vendor: 'intel', name: `Intel GPU ${productId ?? ''}`.trim() }),
    driver: { name: await driverOf(device), version: undefined },
    memoryKind: memoryTotalBytes === undefined ? 'unified' : 'dedicated',
    utilizationPercent:
      sleptShare === undefined ? undefined : Math.round((1 - Math.min(1, Math.max(0, sleptShare))) * 100),
    memoryTotalBytes,
    temperatureCelsius: scaled(pickSensor(temperatures, ['pkg']), 1000),
    memoryTemperatureCelsius: scaled(temperatures.find(({ label }) => label === 'vram')?.value, 1000),
    // Millionths of a joule per millisecond are thousandths of a watt.
    powerWatts: scaled(perMs(`${card.name} energy`, energyMicrojoules, context), 1000),
    powerLimitWatts: scaled((await readSensors(device, 'power', 'max'))[0]?.value, 1_000_000),
    clockMhz:
      (await tryReadNumber(at('tile0/gt0/freq0/act_freq'))) ??
      (await tryReadNumber(join(folder, 'gt_act_freq_mhz'))),
  };
}

/** How much a counter grew in each millisecond since the look before; undefined at the first. */
function perMs(
  name: string,
  value: number | undefined,
  { clock, counters }: CardContext,
): number | undefined {
  const before = counters.get(name);
  if (value === undefined) return undefined;
  const atMs = clock.nowMs();
  counters.set(name, { atMs, value });
  if (before === undefined || atMs <= before.atMs || value < before.value) return undefined;
  return (value - before.value) / (atMs - before.atMs);
}

async function driverOf(device: string): Promise<string> {
  return (await list(join(device, 'tile0'))).length > 0 ? 'xe' : 'i915';
}
