/** Graphics cards under `/sys` of Linux: which there are, and one value at a time. Reads only; a value that cannot be read is undefined. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface DrmCard {
  /** `card0`. */
  readonly name: string;
  /** The folder of the card itself. */
  readonly folder: string;
  /** Of its PCI device. */
  readonly device: string;
}

/** Sensors of a device: `label` is theirs, else the name of the file without its end (`temp1`). */
export interface Sensor {
  readonly label: string;
  readonly value: number;
}

/** Cards of one PCI vendor such as `0x1002`, by number. `root`: `/sys`. */
export async function listCards(root: string, vendorId: string): Promise<DrmCard[]> {
  const drm = join(root, 'class', 'drm');
  const names = (await list(drm)).filter((name) => /^card\d+$/.test(name));
  const cards = names.map((name) => ({
    name,
    folder: join(drm, name),
    device: join(drm, name, 'device'),
  }));
  const vendors = await Promise.all(cards.map(({ device }) => tryReadText(join(device, 'vendor'))));
  return cards
    .filter((_card, index) => vendors[index] === vendorId)
    .sort((one, other) => Number(one.name.slice(4)) - Number(other.name.slice(4)));
}

/** Trimmed; an empty file counts as none. */
export async function tryReadText(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim() || undefined;
  } catch {
    return undefined;
  }
}

export async function tryReadNumber(path: string): Promise<number | undefined> {
  const text = await tryReadText(path);
  const value = Number(text);
  return text === undefined || !Number.isFinite(value) ? undefined : value;
}

/** `stem`: `temp`; `end`: `input`. Without a hardware monitor empty. */
export async function readSensors(device: string, stem: string, end: string): Promise<Sensor[]> {
  const [monitor] = await list(join(device, 'hwmon'));
  if (monitor === undefined) return [];
  const folder = join(device, 'hwmon', monitor);
  const files = (await list(folder)).filter((name) => new RegExp(`^${stem}\\d+_${end}$`).test(name)).sort();
  const sensors: Sensor[] = [];
  for (const file of files) {
    const name = file.slice(0, file.indexOf('_'));
    const value = await tryReadNumber(join(folder, file));
    const label = await tryReadText(join(folder, `${name}_label`));
    if (value !== undefined) sensors.push({ label: label ?? name, value });
  }
  return sensors;
}

/** Names in a folder; empty when there is none. */
export async function list(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch {
    return [];
  }
}

/** The first of these labels that a sensor has, else the value of the first sensor. */
export function pickSensor(sensors: readonly Sensor[], labels: readonly string[]): number | undefined {
  for (const label of labels) {
    const found = sensors.find((sensor) => sensor.label === label);
    if (found !== undefined) return found.value;
  }
  return sensors[0]?.value;
}

/** `scaled(value, 1000)` turns thousandths into ones. */
export function scaled(value: number | undefined, divisor: number): number | undefined {
  return value === undefined ? undefined : value / divisor;
}
