import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { fakeTools, gpuFixture } from '../../../test/fake-tools.ts';
import {
  gpuFields,
  parseGpuMemory,
  readGpuMemory,
  saysNoGpu,
  tryParseGpuLine,
  tryRefusedField,
} from './nvidia-smi.ts';

const MiB = 2 ** 20;

describe('memory of processes', () => {
  test.each([
    ['nothing, when no process uses a GPU', '', {}],
    ['one line per process', '1234, 5678\n99, 1\n', { 1234: 5678, 99: 1 }],
    ['the sum where a process uses several GPUs', '7, 1000\n8, 5\n7, 234\n', { 7: 1234, 8: 5 }],
    ['no amount where the driver does not count', '7, [N/A]\n8, 5\n', { 7: undefined, 8: 5 }],
    ['no amount where only a part is counted', '7, 5\n7, [N/A]\n7, 6\n', { 7: undefined }],
    [
      'nothing of processes of others',
      '[Insufficient Permissions], [Insufficient Permissions]\n8, 5\n',
      { 8: 5 },
    ],
    ['lines ended as on Windows', '7, [N/A]\r\n8, 5\r\n', { 7: undefined, 8: 5 }],
  ])('is read: %s', (_, text, mebibytes) => {
    const bytes = Object.entries(mebibytes).map(([pid, amount]) => [
      Number(pid),
      amount === undefined ? undefined : amount * MiB,
    ]);
    expect(parseGpuMemory(text)).toEqual({ type: 'read', bytesByPid: new Map(bytes as never) });
  });

  test.each(['No devices were found', '<html>', '7', '7, 5 MiB', '7, 5, 6', 'pid, used_gpu_memory [MiB]'])(
    'is refused as a whole: %s',
    (line) => {
      expect(parseGpuMemory(`8, 5\n${line}\n`)).toEqual({
        type: 'failed',
        problem: `unexpected output: ${line}`,
      });
    },
  );
});

describe('a line of the loop', () => {
  const parse = (fixture: string) =>
    gpuFixture(fixture)
      .trim()
      .split('\n')
      .map((line) => tryParseGpuLine(line, gpuFields));

  test('PERF-1 tells one GPU of several', () => {
    expect(parse('nvidia-two-rtx3090.csv')).toEqual([
      {
        index: 0,
        vendor: 'nvidia',
        name: 'NVIDIA GeForce RTX 3090',
        uuid: 'GPU-6e4c1b0a-6f0d-3c0e-9f6e-0a4d1c0b7a11',
        architecture: 'Ampere',
        driver: { name: 'nvidia', version: '560.35.03' },
        memoryKind: 'dedicated',
        utilizationPercent: 97,
        memoryBusyPercent: 61,
        memoryUsedBytes: 21034 * MiB,
        memoryTotalBytes: 24576 * MiB,
        temperatureCelsius: 71,
        memoryTemperatureCelsius: undefined,
        powerWatts: 338.12,
        powerLimitWatts: 350,
        clockMhz: 1740,
        memoryClockMhz: 9501,
        fanPercent: 78,
      },
      expect.objectContaining({ index: 1, utilizationPercent: 3, fanPercent: 0 }),
    ]);
  });

  test('tells the memory of a GPU in MIG mode, and no utilisation', () => {
    expect(parse('nvidia-h100-mig.csv')[0]).toMatchObject({
      architecture: 'Hopper',
      utilizationPercent: undefined,
      memoryBusyPercent: undefined,
      memoryUsedBytes: 43310 * MiB,
      memoryTemperatureCelsius: 47,
      powerWatts: 213.45,
    });
  });

  test('tells of a GPU without memory of its own that it uses the main memory', () => {
    expect(parse('nvidia-dgx-spark.csv')[0]).toMatchObject({
      architecture: 'Blackwell',
      memoryKind: 'unified',
      memoryTotalBytes: undefined,
      utilizationPercent: 12,
    });
  });

  test('leaves out what is not supported', () => {
    expect(parse('nvidia-tesla-k80.csv')[0]).toMatchObject({
      architecture: 'Kepler',
      utilizationPercent: 0,
      memoryTemperatureCelsius: undefined,
      fanPercent: undefined,
    });
  });

  test('is understood with decimal commas', () => {
    expect(parse('nvidia-decimal-comma.csv')[0]).toMatchObject({
      architecture: 'Ada Lovelace',
      driver: { version: '551,86' },
      powerWatts: 201.55,
      powerLimitWatts: 450,
    });
  });

  test('tells of a GPU that is lost its name alone, and is none when it is a complaint', () => {
    const [complaint, gpu] = parse('nvidia-lost-gpu.txt');
    expect(complaint).toBeUndefined();
    expect(gpu).toMatchObject({
      name: 'NVIDIA A40',
      utilizationPercent: undefined,
      memoryUsedBytes: undefined,
    });
  });

  test.each([
    [
      'zero for the total memory',
      'memory.total',
      '0',
      { memoryTotalBytes: undefined, memoryKind: 'unified' },
    ],
    ['more than everything', 'utilization.gpu', '4294967295', { utilizationPercent: undefined }],
    ['no number', 'power.draw', '[Unknown Error]', { powerWatts: undefined }],
    ['nothing', 'temperature.gpu', '', { temperatureCelsius: undefined }],
  ] as const)('PERF-1 may say %s', (_, field, cell, expected) => {
    const cells = gpuFixture('nvidia-two-rtx3090.csv').split('\n')[0]?.split(', ') ?? [];
    cells[gpuFields.indexOf(field)] = cell;
    expect(tryParseGpuLine(cells.join(', '), gpuFields)).toMatchObject(expected);
  });

  test.each([
    '',
    '0',
    '0, NVIDIA A40',
    'No devices were found',
    `${'0, '.repeat(40)}0`,
    '<html>',
    'NVIDIA-SMI has failed',
  ])('PERF-1 that is short, long or something else is none: %j', (line) => {
    expect(tryParseGpuLine(line, gpuFields)).toBeUndefined();
  });

  test('may lack fields that were not asked for', () => {
    expect(tryParseGpuLine('3, Tesla M40, 17', ['index', 'name', 'utilization.gpu'])).toMatchObject({
      index: 3,
      name: 'Tesla M40',
      utilizationPercent: 17,
      uuid: undefined,
    });
  });

  test('may name a field that an older driver does not know', () => {
    expect(tryRefusedField('Field "compute_cap" is not a valid field to query.')).toBe('compute_cap');
    expect(tryRefusedField('Field "other" is not a valid field to query.')).toBeUndefined();
    expect(tryRefusedField('0, Tesla')).toBeUndefined();
    expect(saysNoGpu('No devices were found')).toBe(true);
  });
});

describe('the tool', () => {
  beforeEach((context) => {
    context.skip(process.platform === 'win32', 'a shell script stands for the tool');
  });
  const tool = (script: string) => ({ env: fakeTools({ 'nvidia-smi': script }).env });

  test('is asked for processes and their memory', async () => {
    const script = `[ "$*" = "--query-compute-apps=pid,used_memory --format=csv,noheader,nounits" ] && echo "7, 5"`;
    expect(await readGpuMemory(tool(script))).toEqual({
      type: 'read',
      bytesByPid: new Map([[7, 5 * MiB]]),
    });
  });

  test('is asked to write as in the C locale', async () => {
    expect(await readGpuMemory(tool(`[ "$LC_ALL" = C ] && echo "7, 5"`))).toMatchObject({ type: 'read' });
  });

  test('may be absent', async () => {
    expect(await readGpuMemory({ env: { PATH: '/nonexistent' } })).toEqual({ type: 'absent' });
  });

  test('may fail, and says why on stdout', async () => {
    const said = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.";
    expect(await readGpuMemory(tool(`echo "${said}\nMake sure that it runs."; exit 9`))).toEqual({
      type: 'failed',
      problem: `ended with 9: ${said}`,
    });
  });

  test('may fail, and says why on stderr', async () => {
    expect(await readGpuMemory(tool('echo "no library" >&2; exit 12'))).toEqual({
      type: 'failed',
      problem: 'ended with 12: no library',
    });
  });

  test('may crash without a word', async () => {
    expect(await readGpuMemory(tool('kill -9 $$'))).toEqual({
      type: 'failed',
      problem: 'ended with SIGKILL',
    });
  });

  test('may hang, and holds nobody up', async () => {
    const startedMs = performance.now();
    expect(await readGpuMemory({ ...tool('exec sleep 60'), timeoutMs: 200 })).toEqual({
      type: 'failed',
      problem: 'no answer within 200 ms',
    });
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });

  test('may write without end', async () => {
    expect(await readGpuMemory(tool('exec yes'))).toEqual({ type: 'failed', problem: 'endless output' });
  });

  test('may not be executable', async () => {
    const { folder } = fakeTools({ 'nvidia-smi': 'true' });
    chmodSync(join(folder, 'nvidia-smi'), 0o644);
    expect((await readGpuMemory({ env: { PATH: folder } })).type).toBe('failed');
  });
});
