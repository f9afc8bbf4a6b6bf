import { describe, expect, test } from 'vitest';
import { fakeTools, gpuFixture, gpuFixturePath } from '../../../test/fake-tools.ts';
import { createIoregSource, parseIoreg } from './ioreg.ts';

const totalBytes = 64 * 2 ** 30;

describe('PERF-1 ioreg', () => {
  test('tells of the GPU of an Apple processor', () => {
    expect(parseIoreg(gpuFixture('ioreg-m4-max.txt'), totalBytes)).toMatchObject([
      {
        vendor: 'apple',
        name: 'Apple M4 Max',
        memoryKind: 'unified',
        driver: { name: 'AGXAcceleratorG16X' },
        utilizationPercent: 16,
        memoryUsedBytes: 2_363_801_600,
        memoryTotalBytes: totalBytes,
        temperatureCelsius: undefined,
      },
    ]);
  });

  test('tells of the two GPUs of an older machine', () => {
    expect(parseIoreg(gpuFixture('ioreg-intel-mac.txt'), totalBytes)).toMatchObject([
      { vendor: 'intel', utilizationPercent: 4, memoryUsedBytes: 113_246_208, memoryTotalBytes: undefined },
      {
        vendor: 'amd',
        utilizationPercent: undefined,
        temperatureCelsius: 61,
        powerWatts: 28,
        fanPercent: 30,
      },
    ]);
  });

  test.each(['', 'garbage', '+-o AGXAccelerator  <class AGXAccelerator>\n    {\n    }\n'])(
    'may tell of none: %j',
    (text) => {
      expect(parseIoreg(text, totalBytes)).toEqual([]);
    },
  );

  test('is run without asking for rights', async () => {
    const { env } = fakeTools({
      ioreg: `[ "$*" = "-r -d 1 -w 0 -c IOAccelerator" ] && cat '${gpuFixturePath('ioreg-m4-max.txt')}'`,
    });
    const signal = new AbortController().signal;
    expect(await createIoregSource(env, totalBytes).read(signal)).toMatchObject({
      gpus: [{ vendor: 'apple' }],
    });
    expect(await createIoregSource(fakeTools({ ioreg: 'true' }).env, 1).read(signal)).toEqual({
      type: 'absent',
    });
  });
});
