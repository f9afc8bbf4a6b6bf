/** The tokens of the last days on the monitor page, in a real browser. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { noUsage } from '../../src/store/usage-entry.ts';
import type { FakeFleet } from '../fake-admin-deps.ts';
import { hostileModel, makeLively } from './lively-fleet.ts';
import { chromiumPath, eachInTab, key, screenshots } from './monitor-browser.ts';
import type { Router } from './monitor-browser.ts';

const dayMs = 86_400_000;

interface Use {
  readonly daysAgo: number;
  readonly model: string;
  readonly flow?: string;
  readonly backend?: string;
  readonly inputTokens: number;
}

/** 60 % of the input were cached, and a fifth of it was answered. */
function use(fleet: FakeFleet, { daysAgo, model, flow = 'ci', backend = 'gpu-1', inputTokens }: Use): void {
  fleet.advance(-daysAgo * dayMs);
  fleet.usage.add({
    key: { flow, backend, model, dialect: 'openai' },
    counts: {
      ...noUsage,
      inputTokens,
      cachedTokens: inputTokens * 0.6,
      outputTokens: inputTokens * 0.2,
      requests: 1,
    },
  });
  fleet.advance(daysAgo * dayMs);
}

// Skipped: needs the system's Chromium.
describe.skipIf(!existsSync(chromiumPath))('tokens by day on the monitor page', () => {
  let page: Page;
  let router: Router;
  eachInTab({ locale: 'en-GB' }, (opened) => {
    ({ page, router } = opened);
    router.fleet.advance(20 * dayMs);
  });

  const go = () => page.goto(`${router.url}/monitor`);
  const charts = () => page.locator('.day-chart');
  const names = () => page.locator('.day-head b').allInnerTexts();

  test('shows bars of fourteen days, with their numbers by pointer and by key', async () => {
    use(router.fleet, { daysAgo: 0, model: 'a', inputTokens: 10_000 });
    use(router.fleet, { daysAgo: 1, model: 'b', inputTokens: 40_000 });
    use(router.fleet, { daysAgo: 13, model: 'b', inputTokens: 5000 });
    use(router.fleet, { daysAgo: 14, model: 'b', inputTokens: 1_000_000 });
    await go();
    await charts().first().waitFor();
    expect(await names()).toEqual(['All', 'b', 'a']);
    const all = charts().first();
    expect(await all.innerText()).toContain('66.0k tokens');
    expect(await all.locator('rect').count()).toBe(9);
    expect(await all.innerText()).toContain('11 May – 24 May');
    await all.locator('svg').hover({ position: { x: 2, y: 20 } });
    await all.getByText('11 May: 2.0k new, 3.0k cached, 1.0k out').waitFor();
    await page.mouse.move(0, 0);
    await all.getByText('11 May – 24 May').waitFor();
    await all.focus();
    await all.getByText('24 May: 4.0k new, 6.0k cached, 2.0k out').waitFor();
    await page.keyboard.press('ArrowLeft');
    await all.getByText('23 May: 16.0k new, 24.0k cached, 8.0k out').waitFor();
    expect(await page.locator('#announcer').innerText()).toContain('23 May: 16.0k new');
  });

  test('splits them by model, backend and key, the smallest together, and tells them as a table', async () => {
    for (let model = 1; model <= 7; model += 1)
      use(router.fleet, { daysAgo: model, model: `m${model}`, flow: 'chat-ui', inputTokens: model * 1000 });
    use(router.fleet, { daysAgo: 2, model: hostileModel, backend: 'gpu-2', inputTokens: 90_000 });
    await go();
    await charts().first().waitFor();
    expect(await names()).toEqual(['All', hostileModel, 'm7', 'm6', 'm5', '4 others']);
    expect(await page.locator('#day-panel img, #day-panel script').count()).toBe(0);
    await page.getByText('As a table').click();
    const rows = page.locator('#day-rows tr');
    expect((await rows.filter({ hasText: '4 others' }).first().innerText()).split(/\s*\t\s*/)).toEqual([
      '4 others',
      '2026-05-23',
      '1.0k',
      '600',
      '200',
      '1',
    ]);
    await page.getByLabel('Tokens by day also by').selectOption('backend');
    await expect.poll(names).toEqual(['All', 'gpu-2', 'gpu-1']);
    await page.getByLabel('Tokens by day also by').selectOption('key');
    await expect.poll(names).toEqual(['All', 'ci', 'chat-ui']);
  });

  test('says so when there are none, and shows none without a key', async () => {
    await go();
    await page.getByText('No tokens in the last 14 days').waitFor();
    expect(await charts().count()).toBe(0);
    await page.locator('#day-panel').screenshot({ path: resolve(screenshots, 'days-empty.png') });
    use(router.fleet, { daysAgo: 3, model: 'a', inputTokens: 10_000 });
    router.fleet.keysRequired = true;
    router.fleet.advance(1000);
    await page.reload();
    await page.getByRole('button', { name: 'Show all' }).click();
    expect(await charts().count()).toBe(0);
    await page.locator('#key').fill(key);
    await page.keyboard.press('Enter');
    await charts().first().waitFor();
  });

  test('lays out on wide and narrow screens', async () => {
    makeLively(router.fleet);
    for (let daysAgo = 13; daysAgo > 0; daysAgo -= 1) {
      for (const [index, model] of ['qwen3-coder-30b-a3b', 'gemma-3-27b-it', 'bge-m3'].entries())
        use(router.fleet, { daysAgo, model, inputTokens: (((daysAgo * 7) % 11) + 3) * (400_000 >> index) });
    }
    await go();
    await charts().first().waitFor();
    for (const scheme of ['dark', 'light'] as const) {
      for (const width of [1440, 400]) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height: 900 });
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
        await page.locator('#day-panel').scrollIntoViewIfNeeded();
        await charts().first().locator('svg').hover();
        await page
          .locator('#day-panel')
          .screenshot({ path: resolve(screenshots, `days-${scheme}-${width}.png`) });
      }
    }
  });
});
