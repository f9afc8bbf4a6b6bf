import { describe, expect, test } from 'vitest';
import { gpuTotals, unknownGpu, type GpuReading } from './host-reading.ts';

const GiB = 2 ** 30;

function gpu(known: Partial<GpuReading>): GpuReading {
  return { ...unknownGpu({ index: 0, vendor: 'nvidia', name: 'GPU' }), ...known };
}

describe('gpuTotals', () => {
  test('takes the mean of utilisation, the sums of memory and power, and the highest temperature', () => {
    const gpus = [
      gpu({ utilizationPercent: 80, memoryUsedBytes: 20 * GiB, memoryTotalBytes: 24 * GiB, powerWatts: 300 }),
      gpu({
        utilizationPercent: 30,
        memoryUsedBytes: 10 * GiB,
        memoryTotalBytes: 24 * GiB,
        powerWatts: 99.5,
      }),
    ].map((each, index) => ({ ...each, temperatureCelsius: [61, 74][index] }));
    expect(gpuTotals(gpus)).toEqual({
      count: 2,
      utilizationPercent: 55,
      memoryUsedBytes: 30 * GiB,
      memoryTotalBytes: 48 * GiB,
      temperatureCelsius: 74,
      powerWatts: 399.5,
    });
  });

  test('knows nothing of no GPU, and nothing that no GPU tells', () => {
    const nothing = {
      utilizationPercent: undefined,
      memoryUsedBytes: undefined,
      memoryTotalBytes: undefined,
      temperatureCelsius: undefined,
      powerWatts: undefined,
    };
    expect(gpuTotals([])).toEqual({ count: 0, ...nothing });
    expect(gpuTotals([gpu({}), gpu({})])).toEqual({ count: 2, ...nothing });
  });

  test('takes the mean of those that tell', () => {
    expect(gpuTotals([gpu({ utilizationPercent: 90 }), gpu({})]).utilizationPercent).toBe(90);
  });

  test('leaves out the small GPU of a display, and none of equal ones', () => {
    const large = gpu({ utilizationPercent: 100, memoryTotalBytes: 80 * GiB });
    const display = gpu({ vendor: 'amd', utilizationPercent: 0, memoryTotalBytes: GiB / 2 });
    const untold = gpu({ vendor: 'intel', utilizationPercent: 0 });
    expect(gpuTotals([display, large, untold])).toMatchObject({ count: 1, utilizationPercent: 100 });
    expect(gpuTotals([display])).toMatchObject({ count: 1, utilizationPercent: 0 });
  });
});
