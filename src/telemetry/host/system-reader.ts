/**
 * Processor, memory, swap, load, network and disk of this machine. Owns what the processor had done at the look before,
 * and the one look at a disk that may hang. Starts no program.
 */
import { readFile, statfs } from 'node:fs/promises';
import { cpus, freemem, loadavg, totalmem } from 'node:os';
import type { DiskReading, SystemReading } from '../../domain/host-reading.ts';
import { busyPercents, parseCoreTicks, parseMeminfo, parseNetDev, type CoreTicks } from './linux-system.ts';

export interface SystemReaderOptions {
  readonly platform: NodeJS.Platform;
  /** Whose file system is told of, asked before each look; undefined = none. */
  readonly diskFolder: () => string | undefined;
  /** For tests; default `/proc`. */
  readonly procRoot?: string;
}

/** A file system on a network that has gone keeps everybody waiting for ever. */
const diskMsMax = 500;

export class SystemReader {
  readonly #options: SystemReaderOptions;
  #ticks: ReadonlyMap<string, CoreTicks> = new Map();
  #disk: DiskReading | undefined;
  #askingDisk: Promise<void> | undefined;

  constructor(options: SystemReaderOptions) {
    this.#options = options;
  }

  /** Never rejects: what cannot be read is left out. */
  async read(): Promise<SystemReading> {
    const { platform, procRoot = '/proc' } = this.#options;
    const isLinux = platform === 'linux';
    const [stat, meminfo, netDev] = isLinux
      ? await Promise.all(['stat', 'meminfo', 'net/dev'].map((name) => readOrEmpty(`${procRoot}/${name}`)))
      : [];
    const ticks = isLinux ? parseCoreTicks(stat ?? '') : ticksOfNode();
    const cpuPercentByCore = busyPercents(this.#ticks, ticks);
    this.#ticks = ticks;
    const known = isLinux ? parseMeminfo(meminfo ?? '') : undefined;
    return {
      cpuPercentByCore,
      memory: known?.memory ?? { totalBytes: totalmem(), usedBytes: totalmem() - freemem() },
      swap: known?.swap,
      loadAverages: platform === 'win32' ? undefined : (loadavg() as [number, number, number]),
      network: parseNetDev(netDev ?? ''),
      disk: await this.#readDisk(),
    };
  }

  /** The reading before stays while a new one is awaited. */
  async #readDisk(): Promise<DiskReading | undefined> {
    const diskFolder = this.#options.diskFolder();
    if (diskFolder === undefined) return undefined;
    this.#askingDisk ??= tryReadDisk(diskFolder).then((disk) => {
      this.#disk = disk;
      this.#askingDisk = undefined;
    });
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise((resolve) => {
      timer = setTimeout(resolve, diskMsMax);
    });
    await Promise.race([this.#askingDisk, enough]);
    clearTimeout(timer);
    return this.#disk;
  }
}

function ticksOfNode(): Map<string, CoreTicks> {
  const entries = cpus().map(({ times }, index): [string, CoreTicks] => {
    const busy = times.user + times.nice + times.sys + times.irq;
    return [`cpu${index}`, { busy, total: busy + times.idle }];
  });
  return new Map(entries);
}

async function tryReadDisk(folder: string): Promise<DiskReading | undefined> {
  try {
    const { blocks, bavail, bsize } = await statfs(folder);
    return { folder, totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  } catch {
    return undefined;
  }
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch {
    return '';
  }
}
