import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { fakeTools, printsForever, type FakeTools } from '../../../test/fake-tools.ts';
import { eventually, isAlive } from '../../../test/processes/harness.ts';
import { systemClock } from '../../base/clock.ts';
import type { HostReading } from '../../domain/host-reading.ts';
import { createHostSampler } from './host-sampler.ts';
import { PerformanceMonitor } from './performance-monitor.ts';

beforeEach((context) => {
  context.skip(process.platform !== 'linux', 'the tools and files of Linux are read');
});

const nothing = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-sys-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
};

function optionsWith(tools: FakeTools) {
  const warnings: Readonly<Record<string, unknown>>[] = [];
  const sysRoot = nothing();
  const options = {
    clock: systemClock,
    log: {
      info: () => {},
      warn: (details: Readonly<Record<string, unknown>>) => void warnings.push(details),
    },
    env: tools.env,
    platform: process.platform,
    diskFolder: () => sysRoot,
    sysRoot,
    lactSocket: join(sysRoot, 'none.sock'),
  };
  return { options, warnings };
}

const loop = printsForever('nvidia-two-rtx3090.csv');

describe('the sampler', () => {
  test('tells of this machine and its GPUs, first at once and then again', async () => {
    const tools = fakeTools({ 'nvidia-smi': loop });
    const sampler = createHostSampler({ ...optionsWith(tools).options, intervalMs: 50 });
    onTestFinished(() => sampler.close());
    const readings: HostReading[] = [];
    sampler.subscribe((reading) => readings.push(reading));
    await eventually(
      () => readings.length >= 3 && (readings.at(-1)?.system?.cpuPercentByCore.length ?? 0) > 0,
    );
    const latest = sampler.latest();
    expect(readings).toContain(latest);
    expect(latest?.gpus).toMatchObject([{ utilizationPercent: 97 }, { utilizationPercent: 3 }]);
    expect(latest?.system?.memory.totalBytes).toBeGreaterThan(latest?.system?.memory.usedBytes ?? Infinity);
    expect(latest?.system?.loadAverages).toHaveLength(3);
    expect(latest?.system?.disk?.freeBytes).toBeGreaterThan(0);
    expect(Math.abs((latest?.atEpochMs ?? 0) - Date.now())).toBeLessThan(10_000);
  });

  test('goes on without tools that hang, crash or write garbage, says each once and ends them all', async () => {
    const tools = fakeTools({
      'nvidia-smi': 'echo "NVIDIA-SMI has failed"; exit 9',
      'rocm-smi': 'exec sleep 60',
      'amd-smi': 'echo "{broken"',
      'xpu-smi': 'kill -11 $$',
    });
    const { options, warnings } = optionsWith(tools);
    const sampler = createHostSampler({ ...options, intervalMs: 50 });
    let count = 0;
    sampler.subscribe(() => (count += 1));
    await eventually(() => count >= 5);
    expect(sampler.latest()).toMatchObject({ gpus: [], system: { memory: {} } });
    await sampler.close();
    expect(warnings).toHaveLength(3);
    expect(new Set(warnings.map(({ source }) => source))).toEqual(
      new Set(['amd-smi', 'nvidia-smi', 'xpu-smi']),
    );
    const pids = ['nvidia-smi', 'rocm-smi', 'amd-smi', 'xpu-smi'].flatMap((name) => tools.starts(name));
    expect(pids.length).toBeGreaterThanOrEqual(5);
    await eventually(() => !pids.some(isAlive));
  });

  test('has nothing to tell once its reading is old', async () => {
    let nowMs = 0;
    const clock = { nowMs: () => nowMs, epochMs: () => nowMs };
    const sampler = createHostSampler({ ...optionsWith(fakeTools()).options, clock, intervalMs: 1000 });
    await eventually(() => sampler.latest());
    await sampler.close();
    nowMs = 10_000;
    expect(sampler.latest()).toBeDefined();
    nowMs = 10_001;
    expect(sampler.latest()).toBeUndefined();
  });
});

describe('PERF-1 the monitor', () => {
  function monitorWith(tools: FakeTools): PerformanceMonitor {
    const monitor = new PerformanceMonitor(optionsWith(tools).options);
    onTestFinished(() => monitor.close());
    return monitor;
  }

  test('keeps readings in their order, gives copies, and those after a moment', async () => {
    const monitor = monitorWith(fakeTools({ 'nvidia-smi': loop }));
    expect(monitor.enabled).toBe(false);
    monitor.configure({ disabled: false, every: 30 });
    expect(monitor.enabled).toBe(true);
    await eventually(() => monitor.history().length >= 3);
    const history = monitor.history();
    const times = history.map(({ atEpochMs }) => atEpochMs);
    expect(times).toEqual([...times].sort((one, other) => one - other));
    expect(monitor.history(times[0])).not.toContain(history[0]);
    expect(monitor.history(times.at(-1)).every(({ atEpochMs }) => atEpochMs > (times.at(-1) ?? 0))).toBe(
      true,
    );
    (history as HostReading[]).length = 0;
    expect(monitor.history().length).toBeGreaterThanOrEqual(3);
  });

  test('tells those who listen, until they do not, also across a change of the interval', async () => {
    const monitor = monitorWith(fakeTools());
    const seen: HostReading[] = [];
    const off = monitor.subscribe((reading) => seen.push(reading));
    monitor.configure({ disabled: false, every: 60_000 });
    await eventually(() => seen.length === 1);
    monitor.configure({ disabled: false, every: 60_000 });
    monitor.configure({ disabled: false, every: 20 });
    await eventually(() => seen.length >= 3);
    expect(monitor.history().slice(0, 3)).toEqual(seen.slice(0, 3));
    off();
    const count = seen.length;
    const newer = monitor.history().length + 2;
    await eventually(() => monitor.history().length >= newer);
    expect(seen).toHaveLength(count);
  });

  test('looks more often for those who listen than it keeps', async () => {
    const monitor = monitorWith(fakeTools());
    const seen: HostReading[] = [];
    monitor.subscribe((reading) => seen.push(reading));
    monitor.configure({ disabled: false, every: 90, lookEvery: 40 });
    await eventually(() => seen.length >= 8);
    expect(monitor.history()).toEqual(seen.filter((_, index) => index % 3 === 0));
    expect(monitor.latest()).toBe(seen.at(-1));
  });

  test('starts and stops as configured, and ends its tools', async () => {
    const tools = fakeTools({ 'nvidia-smi': loop });
    const monitor = monitorWith(tools);
    monitor.configure({ disabled: false, every: 50 });
    await eventually(() => monitor.latest()?.gpus.length === 2);
    monitor.configure({ disabled: true, every: 50 });
    expect([monitor.enabled, monitor.latest(), monitor.history()]).toEqual([false, undefined, []]);
    await eventually(() => !tools.starts('nvidia-smi').some(isAlive));
    monitor.configure({ disabled: false, every: 50 });
    await eventually(() => monitor.latest()?.gpus.length === 2);
  });

  test('starts nothing after its end', async () => {
    const tools = fakeTools({ 'nvidia-smi': loop });
    const monitor = monitorWith(tools);
    await monitor.close();
    monitor.configure({ disabled: false, every: 50 });
    expect(monitor.enabled).toBe(false);
    expect(tools.starts('nvidia-smi')).toEqual([]);
  });

  test('looks for the GPUs of the hardware also while it is off, once', async () => {
    const tools = fakeTools({ 'nvidia-smi': loop });
    const monitor = monitorWith(tools);
    const { gpus, memoryBytes, cpu } = await monitor.hardware();
    expect(gpus).toMatchObject([{ architecture: 'Ampere' }, { index: 1 }]);
    expect(memoryBytes).toBeGreaterThan(0);
    expect(cpu.threads).toBeGreaterThan(0);
    await eventually(() => !tools.starts('nvidia-smi').some(isAlive));
  });
});
