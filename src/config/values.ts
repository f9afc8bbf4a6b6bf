/** Value kinds that several keys share: durations, sizes, secrets. Each accepts what people write and yields plain numbers or text. */
import { z } from 'zod';

/** The description is what docs/config.md and editors show: meaning first, then what is special about the value. */
export const describe = <Schema extends z.ZodType>(text: string, schema: Schema): Schema =>
  schema.meta({ ...schema.meta(), description: text });

/** A reload leaves the running value alone and says so; everything else takes effect at once. */
export const needsRestart = <Schema extends z.ZodType>(schema: Schema): Schema =>
  schema.meta({ ...schema.meta(), restart: true });

const durationUnitsMs = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;
const durationPattern = /^(?:\d+(?:\.\d+)?|(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+)$/;

/** Node's timers take no longer delay than 2^31 - 1 ms; a longer one would fire at once. */
const durationMsMax = 24 * 86_400_000;

const sizeUnits: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
};
const sizePattern = /^(\d+(?:\.\d+)?) ?([kKmMgG]i?[bB]|[bB])?$/;

/** How durations and sizes may be written, for messages. */
export const durationForm = 'a duration such as 30s, 1m30s or 250ms, or plain seconds';
export const sizeForm = 'a size such as 64MiB or 10MB, or plain bytes';

/** `1m30s`, `250ms`, `2h`, `90` (seconds) → whole milliseconds; undefined when it is none. */
export function tryParseDurationMs(text: string): number | undefined {
  if (!durationPattern.test(text)) return undefined;
  const seconds = Number(text);
  if (!Number.isNaN(seconds)) return secondsToMs(seconds);
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    const unitMs = durationUnitsMs.find(([name]) => name === unit)?.[1] ?? 0;
    totalMs += Number(amount) * unitMs;
  }
  return wholeMs(totalMs);
}

/** The shortest text that `tryParseDurationMs` reads as the same time: 90000 → `1m30s`, 0 → `0s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return '0s';
  let restMs = durationMs;
  let text = '';
  for (const [unit, unitMs] of durationUnitsMs) {
    const amount = Math.floor(restMs / unitMs);
    if (amount > 0) text += `${amount}${unit}`;
    restMs -= amount * unitMs;
  }
  return text;
}

/** `64MiB`, `10 MB`, `512` (bytes) → whole bytes; undefined when it is none. */
export function tryParseSizeBytes(text: string): number | undefined {
  const match = sizePattern.exec(text);
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * (sizeUnits[(match[2] ?? '').toLowerCase()] ?? 1));
}

/** The shortest exact text for a size: 104857600 → `100MiB`, 1000 → `1000B`. */
export function formatSize(bytes: number): string {
  for (const [unit, unitBytes] of [
    ['GiB', 1024 ** 3] as const,
    ['MiB', 1024 ** 2] as const,
    ['KiB', 1024] as const,
  ]) {
    if (bytes >= unitBytes && bytes % unitBytes === 0) return `${bytes / unitBytes}${unit}`;
  }
  return `${bytes}B`;
}

export interface DurationBounds {
  /** Default 0. */
  readonly msMin?: number;
  /** Default: what a timer can wait. */
  readonly msMax?: number;
  /** Said of a value below `msMin`, in place of the usual words. */
  readonly tooShort?: string;
}

/** A duration key: `1m30s` or plain seconds; whole milliseconds after parsing. */
export const duration = ({
  msMin = 0,
  msMax = durationMsMax,
  tooShort = atLeast(msMin),
}: DurationBounds = {}) =>
  z
    .union([
      z.number().min(msMin / 1000, tooShort),
      z.string().regex(durationPattern, `must be ${durationForm}`),
    ])
    .transform((value) => (typeof value === 'number' ? secondsToMs(value) : (tryParseDurationMs(value) ?? 0)))
    .refine((ms) => ms >= msMin, tooShort)
    .refine((ms) => ms <= msMax, `must be at most ${formatDuration(msMax)}`)
    .meta({ unit: 'duration' });

/** A size key: `64MiB`, `10MB` or plain bytes; bytes after parsing. `bytesMin`: 1 by default, or 0. */
export const size = ({ bytesMin = 1 }: { readonly bytesMin?: 0 | 1 } = {}) =>
  z
    .union([z.int(), z.string().regex(sizePattern, `must be ${sizeForm}`)])
    .transform((value) => (typeof value === 'number' ? value : (tryParseSizeBytes(value) ?? 0)))
    .refine((bytes) => bytes >= bytesMin, bytesMin === 0 ? 'must not be negative' : 'must be at least 1 byte')
    .refine(Number.isSafeInteger, 'must be less than 9007199254740992 bytes')
    .meta({ unit: 'size' });

/** Said of an empty secret, and of one with spaces, in place of the usual words. */
export interface SecretWords {
  readonly empty?: string;
  readonly spaces?: string;
}

/**
 * A key that holds a secret. Kept as a plain string in memory; every printer of configuration masks keys with this unit.
 * It travels in a header, hence the characters.
 */
export const secret = ({ empty = 'must not be empty', spaces }: SecretWords = {}) => {
  const printable = /^[\x21-\x7e]*$/;
  const text = z.string().min(1, empty);
  const checked = spaces === undefined ? text : text.regex(/^[^ ]*$/, { message: spaces, abort: true });
  return checked.regex(printable, 'must be printable ASCII without spaces').meta({ unit: 'secret' });
};

function atLeast(msMin: number): string {
  return msMin === 0 ? 'must not be negative' : `must be at least ${formatDuration(msMin)}`;
}

function secondsToMs(seconds: number): number {
  return wholeMs(seconds * 1000);
}

/** Rounds, but never a short time to 0, which often means "no limit". */
function wholeMs(ms: number): number {
  const rounded = Math.round(ms);
  return rounded === 0 && ms > 0 ? 1 : rounded;
}
