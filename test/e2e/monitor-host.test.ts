/** The router's machine on the monitor page, in a real browser. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { unknownGpu, type HostReading } from '../../src/domain/host-reading.ts';
import { chromiumPath, eachInTab, screenshots } from './monitor-browser.ts';
import type { Router } from './monitor-browser.ts';

const gibibyte = 2 ** 30;

/** Busier from one reading to the next, five seconds apart, until `toEpochMs`. */
function readings(toEpochMs: number, gpus: number): HostReading[] {
  return Array.from({ length: 60 }, (_, look) => ({
    atEpochMs: toEpochMs - (59 - look) * 5000,
    system: {
      cpuPercentByCore: [look, look + 20],
      memory: { totalBytes: 64 * gibibyte, usedBytes: (8 + look / 4) * gibibyte },
      swap: undefined,
      loadAverages: [1.25, 1, 1],
      network: [],
      disk: undefined,
    },
    gpus: Array.from({ length: gpus }, (_gpu, index) => ({
      ...unknownGpu({ index, vendor: 'nvidia', name: 'NVIDIA GeForce RTX 3090' }),
      utilizationPercent: look + index * 10,
      memoryUsedBytes: 10 * gibibyte,
      // The last one drives a display.
      memoryTotalBytes: (index === gpus - 1 ? 2 : 24) * gibibyte,
    })),
  }));
}

// Skipped: needs the system's Chromium.
describe.skipIf(!existsSync(chromiumPath))("the router's machine on the monitor page", () => {
  let page: Page;
  let router: Router;
  eachInTab({}, (opened) => {
    ({ page, router } = opened);
  });

  const go = () => page.goto(`${router.url}/monitor`);
  const host = () => page.locator('#host');
  const measure = (gpus: number) =>
    Object.assign(router.fleet.deps.performance, {
      enabled: true,
      history: () => readings(router.fleet.deps.clock.epochMs(), gpus),
    });

  test('shows CPU, memory and GPUs over the last minutes', async () => {
    measure(3);
    await go();
    await host().waitFor();
    expect(await page.locator('#cpu-value').innerText()).toBe('69');
    expect(await page.locator('#cpu-sub').innerText()).toBe('2 cores · load 1.3');
    expect(await page.locator('#memory-value').innerText()).toBe('36');
    expect(await page.locator('#memory-sub').innerText()).toBe('22.8 of 64.0 GiB');
    expect(await page.locator('#gpu-value').innerText()).toBe('64');
    expect(await page.locator('#gpu-sub').innerText()).toBe('2 GPUs · 20.0 of 48.0 GiB');
    await page.locator('#cpu-spark').hover({ position: { x: 0, y: 20 } });
    expect(await page.locator('#cpu-sub').innerText()).toMatch(/^10 % at /);
    for (const scheme of ['dark', 'light'] as const) {
      for (const width of [1440, 400]) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height: 900 });
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
        await host().screenshot({ path: resolve(screenshots, `host-${scheme}-${width}.png`) });
      }
    }
  });

  test('shows no GPUs where there are none', async () => {
    measure(0);
    await go();
    await host().waitFor();
    expect(await page.locator('#figure-gpu').isVisible()).toBe(false);
  });

  test('is left out where nobody looks at it, and for readers without the key', async () => {
    const answered = () => page.waitForResponse((response) => response.url().includes('/api/performance'));
    const off = answered();
    await go();
    expect((await off).status()).toBe(503);
    expect(await host().isVisible()).toBe(false);
    measure(1);
    router.fleet.keysRequired = true;
    router.fleet.advance(1000);
    let asked = 0;
    page.on('request', (request) => {
      if (request.url().includes('/api/')) asked += 1;
    });
    await page.reload();
    await page.getByRole('button', { name: 'Show all' }).waitFor();
    expect(await host().isVisible()).toBe(false);
    expect(asked).toBe(0);
  });
});
