/** Value kinds that several keys share: durations, sizes, addresses. Each accepts what people write and yields plain numbers. */
import { z } from 'zod';

const durationUnitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const durationPattern = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

/** `1m30s`, `250ms`, `2h` → milliseconds; undefined when it is none. */
export function parseDurationMs(text: string): number | undefined {
  if (!durationPattern.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    totalMs += Number(amount) * (durationUnitsMs[unit ?? ''] ?? 0);
  }
  return totalMs;
}

/** A duration key: `1m30s` or plain seconds; milliseconds after parsing. */
export const duration = () =>
  z
    .union([
      z.number().min(0, 'must be 0 or more seconds'),
      z.string().regex(durationPattern, 'must be a duration such as 30s, 1m30s or 250ms, or plain seconds'),
    ])
    .transform((value) => (typeof value === 'number' ? value * 1000 : (parseDurationMs(value) ?? 0)))
    .meta({ unit: 'duration' });

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
const sizePattern = /^(\d+(?:\.\d+)?)\s*([kmg]i?b|b)?$/i;

/** A size key: `64MiB`, `10MB` or plain bytes; bytes after parsing. */
export const size = () =>
  z
    .union([
      z.number().int('must be whole bytes').min(1, 'must be at least 1 byte'),
      z.string().regex(sizePattern, 'must be a size such as 64MiB or 10MB, or plain bytes'),
    ])
    .transform((value) => {
      if (typeof value === 'number') return value;
      const [, amount, unit] = sizePattern.exec(value) ?? [];
      return Math.round(Number(amount) * (sizeUnits[(unit ?? '').toLowerCase()] ?? 1));
    })
    .meta({ unit: 'size' });

/** A key that holds a secret. Kept as a plain string in memory; every printer of configuration masks keys with this unit. */
export const secret = () => z.string().min(1, 'must not be empty').meta({ unit: 'secret' });
