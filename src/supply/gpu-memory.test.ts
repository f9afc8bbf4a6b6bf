import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parseGpuMemory, readGpuMemory } from './gpu-memory.ts';

const MiB = 2 ** 20;

describe('what the tool prints', () => {
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

describe('the tool', () => {
  beforeEach((context) => {
    context.skip(process.platform === 'win32', 'a shell script stands for the tool');
  });

  /** A folder for PATH with a tool that runs this script. */
  function tool(script: string): { env: NodeJS.ProcessEnv } {
    const folder = mkdtempSync(join(tmpdir(), 'llamero-smi-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const file = join(folder, 'nvidia-smi');
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return { env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` } };
  }

  test('is asked for processes and their memory', async () => {
    const script = `[ "$*" = "--query-compute-apps=pid,used_memory --format=csv,noheader,nounits" ] && echo "7, 5"`;
    expect(await readGpuMemory(tool(script))).toEqual({
      type: 'read',
      bytesByPid: new Map([[7, 5 * MiB]]),
    });
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
    const { env } = tool('true');
    const folder = env['PATH']?.split(':')[0] ?? '';
    chmodSync(join(folder, 'nvidia-smi'), 0o644);
    expect((await readGpuMemory({ env: { PATH: folder } })).type).toBe('failed');
  });
});
