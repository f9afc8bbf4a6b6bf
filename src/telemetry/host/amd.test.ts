import { describe, expect, test } from 'vitest';
import { below, fakeSysfs } from '../../../test/fake-sysfs.ts';
import { fakeTools, gpuFixture, gpuFixturePath } from '../../../test/fake-tools.ts';
import { createAmdSmiSource, parseAmdSmi, parseAmdSmiNames } from './amd-smi.ts';
import { createAmdSysfsSource, tryGfxName } from './amd-sysfs.ts';
import { createRocmSmiSource, parseRocmSmi } from './rocm-smi.ts';

const MiB = 2 ** 20;
const signal = new AbortController().signal;

const device = {
  vendor: '0x1002',
  device: '0x744c',
  product_name: 'Radeon RX 7900 XTX',
  unique_id: 'ac1b58f8c066790f',
  gpu_busy_percent: 37,
  mem_busy_percent: 4,
  mem_info_vram_total: 25_753_026_560,
  mem_info_vram_used: 1_073_741_824,
  'power/runtime_status': 'active',
  'drm/renderD128/dev': '226:128',
  'hwmon/hwmon3/temp1_input': 51_000,
  'hwmon/hwmon3/temp1_label': 'edge',
  'hwmon/hwmon3/temp2_input': 63_000,
  'hwmon/hwmon3/temp2_label': 'junction',
  'hwmon/hwmon3/temp3_input': 58_000,
  'hwmon/hwmon3/temp3_label': 'mem',
  'hwmon/hwmon3/power1_average': 142_000_000,
  'hwmon/hwmon3/power1_cap': 339_000_000,
  'hwmon/hwmon3/freq1_input': 2_105_000_000,
  'hwmon/hwmon3/freq1_label': 'sclk',
  'hwmon/hwmon3/freq2_input': 1_249_000_000,
  'hwmon/hwmon3/freq2_label': 'mclk',
  'hwmon/hwmon3/pwm1': 51,
};

describe("the files of AMD's driver", () => {
  test('tell of a card, in its units', async () => {
    const { root } = fakeSysfs({
      ...below('class/drm/card1/device', device),
      ...below('class/kfd/kfd/topology/nodes/0', { properties: 'gfx_target_version 0\ndrm_render_minor 0' }),
      ...below('class/kfd/kfd/topology/nodes/1', {
        properties: 'simd_count 192\ngfx_target_version 110000\ndrm_render_minor 128',
      }),
      'module/amdgpu/version': '6.8.5',
      'class/drm/card1-DP-1/status': 'connected',
      'class/drm/card0/device/vendor': '0x8086',
    });
    expect(await createAmdSysfsSource(root).read(signal)).toEqual({
      type: 'read',
      gpus: [
        {
          index: 0,
          vendor: 'amd',
          name: 'Radeon RX 7900 XTX',
          uuid: 'ac1b58f8c066790f',
          architecture: 'gfx1100',
          driver: { name: 'amdgpu', version: '6.8.5' },
          memoryKind: 'dedicated',
          utilizationPercent: 37,
          memoryBusyPercent: 4,
          memoryUsedBytes: 1_073_741_824,
          memoryTotalBytes: 25_753_026_560,
          temperatureCelsius: 63,
          memoryTemperatureCelsius: 58,
          powerWatts: 142,
          powerLimitWatts: 339,
          clockMhz: 2105,
          memoryClockMhz: 1249,
          fanPercent: 20,
        },
      ],
    });
  });

  test('of several cards tell in the order of their numbers', async () => {
    const cards = [10, 2].flatMap((number) =>
      Object.entries(below(`class/drm/card${number}/device`, { ...device, product_name: `card ${number}` })),
    );
    const look = await createAmdSysfsSource(fakeSysfs(Object.fromEntries(cards)).root).read(signal);
    expect(look).toMatchObject({
      gpus: [
        { index: 0, name: 'card 2' },
        { index: 1, name: 'card 10' },
      ],
    });
  });

  test('may lack everything but the memory, and give the power of now', async () => {
    const bare = {
      vendor: '0x1002',
      device: '0x1586',
      mem_info_vram_total: 512 * MiB,
      'hwmon/hwmon0/temp1_input': 40_000,
      'hwmon/hwmon0/power1_input': 9_500_000,
    };
    const { root } = fakeSysfs(below('class/drm/card0/device', bare));
    expect(await createAmdSysfsSource(root).read(signal)).toMatchObject({
      gpus: [
        { name: 'AMD GPU 0x1586', temperatureCelsius: 40, powerWatts: 9.5, utilizationPercent: undefined },
      ],
    });
  });

  test('of a card that sleeps are left alone', async () => {
    const { root } = fakeSysfs(
      below('class/drm/card0/device', { ...device, 'power/runtime_status': 'suspended' }),
    );
    expect(await createAmdSysfsSource(root).read(signal)).toMatchObject({
      gpus: [{ utilizationPercent: 0, temperatureCelsius: undefined, memoryUsedBytes: undefined }],
    });
  });

  test('are absent without a card, or with one of another driver', async () => {
    expect(await createAmdSysfsSource(fakeSysfs().root).read(signal)).toEqual({ type: 'absent' });
    const { root } = fakeSysfs({ 'class/drm/card0/device/vendor': '0x1002' });
    expect(await createAmdSysfsSource(root).read(signal)).toEqual({ type: 'absent' });
  });

  test.each([
    [110_000, 'gfx1100'],
    [90_010, 'gfx90a'],
    [90_402, 'gfx942'],
    [100_302, 'gfx1032'],
    [120_001, 'gfx1201'],
    [0, undefined],
  ])('HW-1 name the architecture %i as %s', (version, name) => {
    expect(tryGfxName(version)).toBe(name);
  });
});

describe('amd-smi', () => {
  const names = new Map([[0, 'AMD Instinct MI300X']]);

  test('tells of several GPUs, of which one tells nothing', () => {
    expect(parseAmdSmi(gpuFixture('amd-smi-metric-6.4.json'), names)).toMatchObject([
      {
        index: 0,
        name: 'AMD Instinct MI300X',
        utilizationPercent: 47,
        memoryBusyPercent: 12,
        memoryUsedBytes: 98_304 * MiB,
        memoryTotalBytes: 196_592 * MiB,
        temperatureCelsius: 56,
        memoryTemperatureCelsius: 48,
        powerWatts: 239,
        clockMhz: 2105,
        memoryClockMhz: 900,
        fanPercent: undefined,
      },
      { index: 1, name: 'AMD GPU 1', utilizationPercent: undefined, memoryTotalBytes: undefined },
    ]);
  });

  test('of an older release writes a list', () => {
    expect(parseAmdSmi(gpuFixture('amd-smi-metric-6.0.json'), new Map())).toMatchObject([
      { name: 'AMD GPU 0', utilizationPercent: 5, powerWatts: 22, temperatureCelsius: 44, fanPercent: 20.5 },
    ]);
  });

  test('names its GPUs', () => {
    expect(parseAmdSmiNames(gpuFixture('amd-smi-static-6.4.json'))).toEqual(names);
    expect(parseAmdSmiNames('garbage')).toEqual(new Map());
  });

  test.each(['', 'garbage', '{"gpu_data": 5}', '{"gpu_data": [', '"text"'])(
    'may write garbage: %j',
    (text) => {
      expect(parseAmdSmi(text, names)).toBeUndefined();
    },
  );

  test('is asked for its names once', async () => {
    const { env, starts } = fakeTools({
      'amd-smi': `case "$1" in static) cat '${gpuFixturePath('amd-smi-static-6.4.json')}';;
        metric) cat '${gpuFixturePath('amd-smi-metric-6.4.json')}';; *) exit 2;; esac`,
    });
    const source = createAmdSmiSource(env);
    for (let round = 0; round < 2; round += 1) {
      expect(await source.read(signal)).toMatchObject({
        type: 'read',
        gpus: [{ name: 'AMD Instinct MI300X' }, {}],
      });
    }
    expect(starts('amd-smi')).toHaveLength(3);
  });

  test('may be absent, or fail in words', async () => {
    expect(await createAmdSmiSource({ PATH: '/nonexistent' }).read(signal)).toEqual({ type: 'absent' });
    const { env } = fakeTools({ 'amd-smi': 'echo "amdgpu not loaded" >&2; exit 255' });
    expect(await createAmdSmiSource(env).read(signal)).toEqual({
      type: 'failed',
      problem: 'ended with 255: amdgpu not loaded',
    });
  });
});

describe('PERF-1 rocm-smi', () => {
  test('of version 5 tells of several GPUs', () => {
    expect(parseRocmSmi(gpuFixture('rocm-smi-5.json'))).toMatchObject([
      {
        index: 0,
        name: 'Radeon RX 7900 XTX',
        uuid: '0xac1b58f8c066790f',
        utilizationPercent: 37,
        memoryUsedBytes: 1_073_741_824,
        memoryTotalBytes: 25_753_026_560,
        temperatureCelsius: 63,
        memoryTemperatureCelsius: 58,
        powerWatts: 142,
        fanPercent: 30,
      },
      { index: 1, temperatureCelsius: undefined, memoryUsedBytes: 0, uuid: undefined },
    ]);
  });

  test('of version 7 has other words, and warns before it answers', () => {
    expect(parseRocmSmi(gpuFixture('rocm-smi-7.json'))).toMatchObject([
      {
        name: '0x7551',
        architecture: 'gfx1201',
        utilizationPercent: 3,
        memoryBusyPercent: 1,
        powerWatts: 19,
        temperatureCelsius: 36,
      },
    ]);
  });

  test.each(['', 'ERROR: no devices', '[]', '{}', '{"system": {}}', '{"card0": '])(
    'may write garbage: %j',
    (text) => {
      expect(parseRocmSmi(text)).toBeUndefined();
    },
  );

  test('is run for JSON', async () => {
    const { env } = fakeTools({
      'rocm-smi': `case "$*" in *--json*) cat '${gpuFixturePath('rocm-smi-7.json')}';; *) exit 2;; esac`,
    });
    expect(await createRocmSmiSource(env).read(signal)).toMatchObject({
      type: 'read',
      gpus: [{ vendor: 'amd' }],
    });
    const broken = fakeTools({ 'rocm-smi': 'echo garbage' });
    expect(await createRocmSmiSource(broken.env).read(signal)).toEqual({
      type: 'failed',
      problem: 'unexpected output: garbage',
    });
  });
});
