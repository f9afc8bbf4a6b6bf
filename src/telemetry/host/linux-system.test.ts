import { describe, expect, test } from 'vitest';
import { busyPercents, parseCoreTicks, parseMeminfo, parseNetDev } from './linux-system.ts';

const stat = (zero: string, one: string) =>
  `cpu  999 0 0 999 0 0 0 0 0 0\ncpu0 ${zero}\ncpu1 ${one}\nintr 1 2\n`;

describe('busy shares of cores', () => {
  test('count waiting for disks as idle, and guests once', () => {
    const before = parseCoreTicks(stat('100 0 50 800 50 0 0 0 0 0', '0 0 0 1000 0 0 0 0 0 0'));
    const after = parseCoreTicks(stat('130 0 60 840 70 0 0 0 30 0', '75 0 0 1025 0 0 0 0 0 0'));
    expect(busyPercents(before, after)).toEqual([40, 75]);
  });

  test('are left out where no time has passed, a core is new, or counters began anew', () => {
    const before = parseCoreTicks('cpu0 10 0 0 10 0 0 0 0\ncpu2 500 0 0 500 0 0 0 0\n');
    const after = parseCoreTicks('cpu0 10 0 0 10 0 0 0 0\ncpu1 9 0 0 9 0 0 0 0\ncpu2 1 0 0 1 0 0 0 0\n');
    expect(busyPercents(before, after)).toEqual([]);
    expect(busyPercents(new Map(), after)).toEqual([]);
  });
});

test('memory in use is what is not available', () => {
  const text =
    'MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 700 kB\nSwapTotal: 50 kB\nSwapFree: 20 kB\n';
  expect(parseMeminfo(text)).toEqual({
    memory: { totalBytes: 1_024_000, usedBytes: 307_200 },
    swap: { totalBytes: 51_200, usedBytes: 30_720 },
  });
  expect(parseMeminfo('MemTotal: 1000 kB\nMemFree: 100 kB\n')?.memory.usedBytes).toBe(921_600);
  expect(parseMeminfo('')).toBeUndefined();
});

test('interfaces are told with what they received and sent, but not those inside of the machine', () => {
  const text = `Inter-|   Receive                            |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 800 1 0 0 0 0 0 0 800 1 0 0 0 0 0 0
  eth0: 2530482125 69461 0 0 0 0 0 0 4764061 44569 0 0 0 0 0 0
veth9a0: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0
enp3s0f0:12 1 0 0 0 0 0 0 34 1 0 0 0 0 0 0
`;
  expect(parseNetDev(text)).toEqual([
    { name: 'eth0', receivedBytes: 2_530_482_125, sentBytes: 4_764_061 },
    { name: 'enp3s0f0', receivedBytes: 12, sentBytes: 34 },
  ]);
});
