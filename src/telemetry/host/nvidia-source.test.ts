import { describe, expect, onTestFinished, test, beforeEach } from 'vitest';
import { fakeTools, gpuFixturePath, printsForever, type FakeTools } from '../../../test/fake-tools.ts';
import { eventually, isAlive } from '../../../test/processes/harness.ts';
import { systemClock } from '../../base/clock.ts';
import { createNvidiaSource } from './nvidia-source.ts';

const signal = new AbortController().signal;
const tool = 'nvidia-smi';

beforeEach((context) => {
  context.skip(process.platform === 'win32', 'a shell script stands for the tool');
});

function sourceOf(tools: FakeTools, firstLineMsMax = 5000) {
  const source = createNvidiaSource({
    env: tools.env,
    clock: systemClock,
    intervalMs: 50,
    firstLineMsMax,
    pauseMs: 10,
  });
  onTestFinished(async () => {
    await source.close();
    // What was killed is gone once the system has taken its last bits away.
    await eventually(() => tools.starts(tool).every((pid) => !isAlive(pid)));
  });
  return source;
}

describe('the NVIDIA source', () => {
  test('keeps one tool running for all readings', async () => {
    const tools = fakeTools({ [tool]: printsForever('nvidia-two-rtx3090.csv') });
    const source = sourceOf(tools);
    for (let round = 0; round < 3; round += 1) {
      const look = await source.read(signal);
      expect(look).toMatchObject({ type: 'read', gpus: [{ index: 0 }, { index: 1 }] });
    }
    expect(tools.starts(tool)).toHaveLength(1);
  });

  test('asks in a loop with its interval', async () => {
    const check = `case "$*" in *"--format=csv,noheader,nounits -lms 50") ;; *) exit 3;; esac`;
    const source = sourceOf(fakeTools({ [tool]: `${check}\n${printsForever('nvidia-tesla-k80.csv')}` }));
    expect(await source.read(signal)).toMatchObject({ type: 'read', gpus: [{ name: 'Tesla K80' }] });
  });

  test('leaves out every field that the driver refuses', async () => {
    const tools = fakeTools({
      [tool]: `case "$*" in
        *compute_cap*) echo 'Field "compute_cap" is not a valid field to query.'; exit 2;;
        *temperature.memory*) echo 'Field "temperature.memory" is not a valid field to query.'; exit 2;;
      esac
      while /bin/echo "0, Tesla M40, GPU-1, 375.39, 3, 0, 4, 11441, 33, 26.10, 149.00, 324, 324, 22"; do sleep 0.05; done`,
    });
    const source = sourceOf(tools);
    expect(await source.read(signal)).toMatchObject({
      type: 'read',
      gpus: [
        {
          name: 'Tesla M40',
          utilizationPercent: 3,
          powerWatts: 26.1,
          fanPercent: 22,
          architecture: undefined,
        },
      ],
    });
    expect(tools.starts(tool)).toHaveLength(3);
  });

  test('is absent without the tool, and finds it when asked again', async () => {
    const tools = fakeTools();
    const source = sourceOf(tools);
    expect(await source.read(signal)).toEqual({ type: 'absent' });
    tools.put(tool, printsForever('nvidia-tesla-k80.csv'));
    expect(await source.read(signal)).toMatchObject({ type: 'read' });
  });

  test('is absent where the tool finds no device, and starts it only when asked', async () => {
    const tools = fakeTools({ [tool]: 'echo "No devices were found"; exit 6' });
    const source = sourceOf(tools);
    expect(await source.read(signal)).toEqual({ type: 'absent' });
    expect(await source.read(signal)).toEqual({ type: 'absent' });
    expect(tools.starts(tool)).toHaveLength(2);
  });

  test('says why it fails, and tries again and again', async () => {
    const said = 'NVIDIA-SMI has failed because the driver is not loaded.';
    const tools = fakeTools({ [tool]: `echo "${said}"; exit 9` });
    const source = sourceOf(tools);
    expect(await source.read(signal)).toEqual({ type: 'failed', problem: `ended with 9: ${said}` });
    await eventually(() => tools.starts(tool).length >= 3);
    tools.put(tool, printsForever('nvidia-tesla-k80.csv'));
    const look = await eventually(async () => {
      const next = await source.read(signal);
      return next.type === 'read' && next;
    });
    expect(look.gpus).toHaveLength(1);
  });

  test('starts the tool again when it crashes between two lines', async () => {
    const tools = fakeTools({ [tool]: `cat '${gpuFixturePath('nvidia-tesla-k80.csv')}'; kill -9 $$` });
    const source = sourceOf(tools);
    await eventually(
      async () => (await source.read(signal)).type === 'read' && tools.starts(tool).length >= 2,
    );
  });

  test('forgets a GPU that is no longer told of', async () => {
    const tools = fakeTools({
      [tool]: `cat '${gpuFixturePath('nvidia-two-rtx3090.csv')}'
      while head -n 1 '${gpuFixturePath('nvidia-two-rtx3090.csv')}'; do sleep 0.05; done`,
    });
    const source = sourceOf(tools);
    expect(await source.read(signal)).toMatchObject({ gpus: [{ index: 0 }, { index: 1 }] });
    const look = await eventually(async () => {
      const next = await source.read(signal);
      return next.type === 'read' && next.gpus.length === 1 && next;
    });
    expect(look.gpus).toMatchObject([{ index: 0 }]);
  });

  test('gives up waiting for a tool that hangs, and ends it with what it started', async () => {
    const tools = fakeTools({ [tool]: `sleep 60 & echo "${tool} $!" >> "$(dirname "$0")/started"; wait` });
    const source = sourceOf(tools, 100);
    expect(await source.read(signal)).toEqual({ type: 'failed', problem: 'no answer yet' });
    await eventually(() => tools.starts(tool).length >= 4);
    expect(await source.read(signal)).toEqual({ type: 'failed', problem: 'silent for 250 ms' });
  });

  test('does not blame the tool when it was this program that stood still', async () => {
    const tools = fakeTools({ [tool]: printsForever('nvidia-tesla-k80.csv') });
    const source = sourceOf(tools, 400);
    const works = () => eventually(async () => (await source.read(signal)).type === 'read');
    for (let round = 0; round < 2; round += 1) {
      await works();
      // Longer than the tool may be silent.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 800);
      await new Promise(setImmediate);
    }
    await works();
    expect(tools.starts(tool)).toHaveLength(1);
  });

  test('fails in words where a program cannot be started at all', async () => {
    const source = createNvidiaSource({ env: { PATH: '\0' }, clock: systemClock, intervalMs: 50 });
    expect(await source.read(signal)).toMatchObject({
      type: 'failed',
      problem: expect.stringMatching(/null byte/) as string,
    });
    await source.close();
  });

  test('survives garbage', async () => {
    const tools = fakeTools({
      [tool]: `head -c 100000 /dev/urandom; printf 'x%.0s' $(seq 20000); exec sleep 60`,
    });
    const source = sourceOf(tools, 200);
    expect((await source.read(signal)).type).toBe('failed');
  });

  test('stops waiting when the reading is called off', async () => {
    const source = sourceOf(fakeTools({ [tool]: 'exec sleep 60' }));
    const controller = new AbortController();
    const reading = source.read(controller.signal);
    controller.abort();
    expect((await reading).type).toBe('failed');
  });
});
