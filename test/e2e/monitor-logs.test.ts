/** The drawer of logs on the monitor page, in a real browser. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { ModelControl } from '../../src/admin/deps.ts';
import { noModels } from '../../src/config/models.ts';
import { createOutputLog, type OutputLog } from '../../src/process/output.ts';
import type { FakeFleet } from '../fake-admin-deps.ts';
import { model } from '../resolved-models.ts';
import { hostileModel, makeLively, requestId } from './lively-fleet.ts';
import { chromiumPath, eachInTab, key, screenshots } from './monitor-browser.ts';
import type { Router } from './monitor-browser.ts';

/** Gives the fleet a stopped model with a log, or the router its own (`proxy`). */
function serveLog({ deps }: FakeFleet, name: string, output: OutputLog): void {
  Object.assign(deps.logs, { find: (asked: string) => (asked === name ? output : undefined) });
  if (name === 'proxy') return;
  Object.assign(deps.models, {
    config: () => ({ ...noModels, models: new Map([[name, model(name)]]) }),
    stateOf: () => 'stopped',
  } satisfies Partial<ModelControl>);
}

/** Whether all of a line is inside the box that scrolls. */
function isInView(line: Locator): Promise<boolean> {
  return line.evaluate((element) => {
    const box = element.parentElement?.getBoundingClientRect();
    return box !== undefined && element.getBoundingClientRect().bottom <= box.bottom;
  });
}

// Skipped: needs the system's Chromium.
describe.skipIf(!existsSync(chromiumPath))('log on the monitor page', () => {
  let page: Page;
  let router: Router;
  eachInTab({}, (opened) => {
    ({ page, router } = opened);
  });

  const go = () => page.goto(`${router.url}/monitor`);

  test('follows the log of a model, and holds new lines back while its reader is scrolled up', async () => {
    const output = createOutputLog();
    serveLog(router.fleet, 'org/coder', output);
    for (let line = 1; line <= 100; line += 1) output.write(Buffer.from(`slot ${line} released\n`));
    output.write(Buffer.from(`\x1b[32m${hostileModel}\x1b[0m\n`));
    await go();
    await page.getByRole('button', { name: 'Log of org/coder' }).click();
    const dialog = page.getByRole('dialog', { name: 'Log of org/coder' });
    const lines = dialog.locator('#log-rows div');
    await dialog.getByText('101 lines').waitFor();
    expect(await lines.last().innerText()).toBe(hostileModel);
    expect(await dialog.locator('img, script').count()).toBe(0);
    const box = dialog.locator('#log-lines');
    await box.evaluate((element) => element.scrollTo(0, -40));
    output.write(Buffer.from('model loa'));
    output.write(Buffer.from('ded\nlistening\n'));
    await dialog.getByRole('button', { name: '2 new lines' }).waitFor();
    expect(await dialog.locator('#log-state').innerText()).toBe('Paused');
    expect(await box.evaluate((element) => element.scrollTop)).toBe(-40);
    expect(await lines.count()).toBe(101);
    await dialog.getByRole('button', { name: '2 new lines' }).click();
    await dialog.getByText('103 lines').waitFor();
    expect(await lines.nth(101).innerText()).toBe('model loaded');
    expect(await dialog.locator('#log-state').innerText()).toBe('Live');
    await dialog.getByLabel('Only lines with').fill('SLOT 1');
    await dialog.getByText('12 of 103 lines').waitFor();
    output.write(Buffer.from('slot 1 again\n'));
    await dialog.getByText('13 of 104 lines').waitFor();
  });

  test('keeps the last 2,000 lines of a log', async () => {
    const output = createOutputLog();
    serveLog(router.fleet, 'org/coder', output);
    await go();
    await page.getByRole('button', { name: 'Log of org/coder' }).click();
    await page.getByText('Nothing written yet').waitFor();
    for (let line = 1; line <= 2500; line += 1) output.write(Buffer.from(`line ${line}\n`));
    await page.getByText('2.0k lines, older ones are gone').waitFor();
    expect(await page.locator('#log-rows div').count()).toBe(2000);
    expect(await page.locator('#log-rows div').first().innerText()).toBe('line 501');
  });

  test('follows the log of the router with a key, and gives the focus back when it is closed', async () => {
    const output = createOutputLog();
    serveLog(router.fleet, 'proxy', output);
    output.write(Buffer.from('{"level":"info","msg":"ready"}\n'));
    router.fleet.keysRequired = true;
    await go();
    await page.getByText('Figures alone').waitFor();
    await page.locator('#router-log').focus();
    await page.keyboard.press('Enter');
    await page.locator('#key').fill(key);
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Log of the router' });
    await dialog.getByText('"ready"').waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('log-lines');
    router.server.closeAllConnections();
    await dialog.getByText('Ended').waitFor();
    output.write(Buffer.from('{"level":"info","msg":"again"}\n'));
    await dialog.getByRole('button', { name: 'Follow again' }).click();
    await dialog.getByText('"again"').waitFor();
    expect(await dialog.locator('#log-rows div').count()).toBe(2);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(await page.evaluate('document.activeElement.id')).toBe('router-log');
  });

  test('stays at the end of a log when the window gets another size', async () => {
    const output = createOutputLog();
    serveLog(router.fleet, 'proxy', output);
    for (let line = 1; line <= 60; line += 1)
      output.write(
        Buffer.from(
          `{"level":"info","time":"2026-05-07T13:0${line % 10}:12.345Z","request":"${requestId(line)}","msg":"completed"}\n`,
        ),
      );
    makeLively(router.fleet);
    await go();
    await page.locator('#backend-rows tr').first().waitFor();
    await page.locator('#router-log').click();
    await page.getByText('60 lines').waitFor();
    const last = page.locator('#log-rows div').last();
    // A browser may tell of a scroll between the new layout and whatever would answer to it.
    const box = page.locator('#log-lines');
    await box.evaluate((element) => {
      element.style.width = '200px';
      element.getBoundingClientRect();
      element.dispatchEvent(new Event('scroll'));
    });
    output.write(Buffer.from('one more\n'));
    await page.getByText('61 lines').waitFor();
    await box.evaluate((element) => element.style.removeProperty('width'));
    for (const scheme of ['dark', 'light'] as const) {
      for (const width of [1440, 400]) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height: 900 });
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
        await expect.poll(() => isInView(last)).toBe(true);
        await page.screenshot({ path: resolve(screenshots, `log-${scheme}-${width}.png`) });
      }
    }
  });
});
