import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { gpuFixture } from '../../../test/fake-tools.ts';
import { createLactSource } from './lact.ts';

beforeEach((context) => {
  context.skip(process.platform === 'win32', 'the daemon has a socket in the file system');
});

const signal = new AbortController().signal;

/** A daemon that answers each line. */
async function daemon(answer: (request: unknown, socket: Socket) => string | undefined): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-lact-'));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (line: Buffer) => {
      const text = answer(JSON.parse(line.toString()), socket);
      if (text !== undefined) socket.write(`${text}\n`);
    });
  });
  const path = join(folder, 'lactd.sock');
  server.listen(path);
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return path;
}

const devices = [
  { id: '1002:747E-1DA2:E475-0000:03:00.0', name: 'Navi 32 [Radeon RX 7800 XT]' },
  { id: '10DE:2704-1462:5110-0000:09:00.0', name: 'AD103 [GeForce RTX 4080]' },
  { id: '1AF4:1050-0000:0000-0000:00:01.0', name: 'Virtio GPU' },
];

describe('the daemon of LACT', () => {
  test('tells of the GPUs of all vendors that are known', async () => {
    const asked: unknown[] = [];
    const path = await daemon((request) => {
      asked.push(request);
      const { command } = request as { command: string };
      const data: unknown =
        command === 'list_devices' ? devices : JSON.parse(gpuFixture('lact-device-stats.json'));
      return JSON.stringify({ status: 'ok', data });
    });
    expect(await createLactSource(path).read(signal)).toMatchObject({
      type: 'read',
      gpus: [
        {
          index: 0,
          vendor: 'amd',
          name: 'Navi 32 [Radeon RX 7800 XT]',
          utilizationPercent: 41,
          memoryUsedBytes: 4_310_781_952,
          memoryTotalBytes: 17_163_091_968,
          temperatureCelsius: 63,
          memoryTemperatureCelsius: 58,
          powerWatts: 118,
          powerLimitWatts: 186,
          clockMhz: 1725,
          memoryClockMhz: 1000,
          fanPercent: 40,
        },
        { index: 1, vendor: 'nvidia', name: 'AD103 [GeForce RTX 4080]' },
      ],
    });
    expect(asked.slice(0, 2)).toEqual([
      { command: 'list_devices' },
      { command: 'device_stats', args: { id: devices[0]?.id } },
    ]);
  });

  test('may be absent, or know no GPU', async () => {
    expect(await createLactSource('/nonexistent/lactd.sock').read(signal)).toEqual({ type: 'absent' });
    const path = await daemon(() => '{"status":"ok","data":[]}');
    expect(await createLactSource(path).read(signal)).toEqual({ type: 'absent' });
  });

  test.each([
    ['an error', '{"status":"error","data":"no"}', 'refused: {"status":"error","data":"no"}'],
    ['garbage', '<html>', 'unexpected answer: <html>'],
    ['too much', 'x'.repeat(1_100_000), 'Line is longer than 1000000 bytes'],
  ])('may answer with %s', async (_, text, problem) => {
    const path = await daemon(() => text);
    expect(await createLactSource(path).read(signal)).toEqual({ type: 'failed', problem });
  });

  test('may end without an answer', async () => {
    const path = await daemon((_request, socket) => {
      socket.end();
      return undefined;
    });
    expect(await createLactSource(path).read(signal)).toEqual({
      type: 'failed',
      problem: 'closed without an answer',
    });
  });

  test('may hang', async () => {
    const path = await daemon(() => undefined);
    expect(await createLactSource(path, 50).read(signal)).toEqual({
      type: 'failed',
      problem: 'no answer within 50 ms',
    });
  });

  test('that hangs is not waited for when the reading is called off', async () => {
    const controller = new AbortController();
    const path = await daemon(() => {
      controller.abort();
      return undefined;
    });
    expect((await createLactSource(path).read(controller.signal)).type).toBe('failed');
  });
});
