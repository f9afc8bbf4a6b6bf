import { describe, expect, test } from 'vitest';
import { below, fakeSysfs } from '../../../test/fake-sysfs.ts';
import { fakeTools, gpuFixture, gpuFixturePath } from '../../../test/fake-tools.ts';
import { createIntelSysfsSource } from './intel-sysfs.ts';
import { createXpuSmiSource, parseXpuSmi } from './xpu-smi.ts';

const MiB = 2 ** 20;
const GiB = 2 ** 30;
const signal = new AbortController().signal;

describe("the files of Intel's drivers", () => {
  function rig(files: Readonly<Record<string, string | number>>) {
    const sysfs = fakeSysfs(files);
    let nowMs = 0;
    const source = createIntelSysfsSource(sysfs.root, { nowMs: () => nowMs, epochMs: () => nowMs });
    return {
      sysfs,
      pass: (ms: number) => {
        nowMs += ms;
      },
      gpu: async () => {
        const look = await source.read(signal);
        return look.type === 'read' ? look.gpus[0] : look.type;
      },
    };
  }

  test('of xe tell how long a GPU slept and what energy it took, between two looks', async () => {
    const { sysfs, pass, gpu } = rig(
      below('class/drm/card0/device', {
        vendor: '0x8086',
        device: '0xe211',
        'tile0/physical_vram_size_bytes': 24 * GiB,
        'tile0/gt0/gtidle/idle_residency_ms': 10_000,
        'tile0/gt0/freq0/act_freq': 2400,
        'hwmon/hwmon2/energy1_input': 5_000_000,
        'hwmon/hwmon2/energy1_label': 'card',
        'hwmon/hwmon2/temp2_input': 57_000,
        'hwmon/hwmon2/temp2_label': 'pkg',
        'hwmon/hwmon2/temp3_input': 62_000,
        'hwmon/hwmon2/temp3_label': 'vram',
        'hwmon/hwmon2/power1_max': 200_000_000,
      }),
    );
    expect(await gpu()).toMatchObject({
      vendor: 'intel',
      name: 'Intel GPU 0xe211',
      driver: { name: 'xe' },
      memoryKind: 'dedicated',
      memoryTotalBytes: 24 * GiB,
      memoryUsedBytes: undefined,
      utilizationPercent: undefined,
      powerWatts: undefined,
      temperatureCelsius: 57,
      memoryTemperatureCelsius: 62,
      powerLimitWatts: 200,
      clockMhz: 2400,
    });
    pass(1000);
    sysfs.write(
      below('class/drm/card0/device', {
        'tile0/gt0/gtidle/idle_residency_ms': 10_250,
        'hwmon/hwmon2/energy1_input': 125_000_000,
      }),
    );
    expect(await gpu()).toMatchObject({ utilizationPercent: 75, powerWatts: 120 });
  });

  test('of i915 tell of a GPU within the processor, and survive a counter that begins anew', async () => {
    const files = (slept: number) => ({
      'class/drm/card0/device/vendor': '0x8086',
      'class/drm/card0/gt/gt0/rc6_residency_ms': slept,
      'class/drm/card0/gt_act_freq_mhz': 350,
    });
    const { sysfs, pass, gpu } = rig(files(900));
    expect(await gpu()).toMatchObject({ driver: { name: 'i915' }, memoryKind: 'unified', clockMhz: 350 });
    pass(100);
    sysfs.write(files(1010));
    expect(await gpu()).toMatchObject({ utilizationPercent: 0 });
    pass(100);
    sysfs.write(files(5));
    expect(await gpu()).toMatchObject({ utilizationPercent: undefined });
    pass(100);
    sysfs.write(files(5));
    expect(await gpu()).toMatchObject({ utilizationPercent: 100 });
  });

  test('are absent without a card', async () => {
    expect(await rig({}).gpu()).toBe('absent');
  });
});

describe('xpu-smi', () => {
  test('of version 1 tells by numbered metrics', () => {
    expect(parseXpuSmi(gpuFixture('xpu-smi-1-dump.csv'))).toMatchObject([
      {
        index: 0,
        name: 'Intel GPU 0',
        utilizationPercent: 88.2,
        powerWatts: 106.6,
        clockMhz: 1550,
        temperatureCelsius: 49.5,
        memoryTemperatureCelsius: undefined,
        memoryUsedBytes: 8160 * MiB,
        memoryTotalBytes: undefined,
      },
      { index: 1, name: 'Intel GPU 1', temperatureCelsius: undefined, clockMhz: 0 },
    ]);
  });

  test('of version 2 tells by names', () => {
    expect(parseXpuSmi(gpuFixture('xpu-smi-2-query.csv'))).toMatchObject([
      {
        name: 'Intel(R) Arc(TM) Pro B60 Graphics',
        driver: { name: 'level zero', version: '1.6.33578' },
        memoryKind: 'dedicated',
        utilizationPercent: 22.22,
        memoryTotalBytes: 24_480 * MiB,
        temperatureCelsius: 57,
        clockMhz: 2400,
      },
      { utilizationPercent: undefined, temperatureCelsius: undefined, memoryUsedBytes: 1024 * MiB },
    ]);
  });

  test.each(['', 'garbage', 'index, name\n', 'Timestamp, DeviceId\n1\n', 'No device discovered'])(
    'may write garbage: %j',
    (text) => {
      expect(parseXpuSmi(text)).toBeUndefined();
    },
  );

  test('is asked in the way of version 1 once it is known not to understand the other', async () => {
    const { env, starts } = fakeTools({
      'xpu-smi': `[ "$1" = dump ] || { echo "The following argument was not expected: $1"; exit 1; }
        cat '${gpuFixturePath('xpu-smi-1-dump.csv')}'`,
    });
    const source = createXpuSmiSource(env);
    for (let round = 0; round < 2; round += 1) {
      expect(await source.read(signal)).toMatchObject({
        type: 'read',
        gpus: [{ utilizationPercent: 88.2 }, {}],
      });
    }
    expect(starts('xpu-smi')).toHaveLength(3);
  });

  test('of version 2 is asked once', async () => {
    const { env, starts } = fakeTools({ 'xpu-smi': `cat '${gpuFixturePath('xpu-smi-2-query.csv')}'` });
    expect(await createXpuSmiSource(env).read(signal)).toMatchObject({ type: 'read' });
    expect(starts('xpu-smi')).toHaveLength(1);
  });

  test('may be absent or broken', async () => {
    expect(await createXpuSmiSource({ PATH: '/nonexistent' }).read(signal)).toEqual({ type: 'absent' });
    const { env } = fakeTools({ 'xpu-smi': 'kill -11 $$' });
    expect(await createXpuSmiSource(env).read(signal)).toEqual({
      type: 'failed',
      problem: 'ended with SIGSEGV',
    });
  });
});
