/** What the kernel of Linux says of a machine under /proc, from text to numbers. Reads nothing itself. */
import type { MemoryReading, NetworkReading } from '../../domain/host-reading.ts';

/** Ticks since the machine started. */
export interface CoreTicks {
  readonly busy: number;
  readonly total: number;
}

/** Of `/proc/stat`, one entry for each core that is on. */
export function parseCoreTicks(text: string): Map<string, CoreTicks> {
  const cores = new Map<string, CoreTicks>();
  for (const [, name = '', rest = ''] of text.matchAll(/^(cpu\d+) +(.*)$/gm)) {
    // user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in the first two already.
    const ticks = rest.split(' ').slice(0, 8).map(Number);
    const total = ticks.reduce((sum, each) => sum + each, 0);
    cores.set(name, { busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0), total });
  }
  return cores;
}

/** Share of the time between two looks in which each core was busy; empty where no time has passed. */
export function busyPercents(
  before: ReadonlyMap<string, CoreTicks>,
  after: ReadonlyMap<string, CoreTicks>,
): number[] {
  const percents: number[] = [];
  for (const [name, { busy, total }] of after) {
    const from = before.get(name);
    // A core that was just switched on, or whose counters began anew, has no share yet.
    if (from === undefined || total <= from.total) continue;
    const share = (busy - from.busy) / (total - from.total);
    percents.push(Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10);
  }
  return percents;
}

/** Of `/proc/meminfo`. undefined = it does not say. */
export function parseMeminfo(text: string): { memory: MemoryReading; swap: MemoryReading } | undefined {
  const bytes = (name: string): number | undefined => {
    const kibibytes = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  };
  const totalBytes = bytes('MemTotal');
  const available = bytes('MemAvailable') ?? bytes('MemFree');
  if (totalBytes === undefined || available === undefined) return undefined;
  const swapBytes = bytes('SwapTotal') ?? 0;
  return {
    memory: { totalBytes, usedBytes: Math.max(0, totalBytes - available) },
    swap: { totalBytes: swapBytes, usedBytes: Math.max(0, swapBytes - (bytes('SwapFree') ?? swapBytes)) },
  };
}

/** Of `/proc/net/dev`, without the loopback and the ends of container networks, of which there may be hundreds. */
export function parseNetDev(text: string): NetworkReading[] {
  const readings: NetworkReading[] = [];
  for (const [, name = '', rest = ''] of text.matchAll(/^ *([^\s:]+): *(.*)$/gm)) {
    if (name === 'lo' || name.startsWith('veth')) continue;
    const counters = rest.trim().split(/ +/).map(Number);
    const [receivedBytes, sentBytes] = [counters[0], counters[8]];
    if (receivedBytes === undefined || sentBytes === undefined) continue;
    readings.push({ name, receivedBytes, sentBytes });
  }
  return readings;
}
