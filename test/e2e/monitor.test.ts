/** The monitor page in a real browser, over a made-up fleet behind the real admin API. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { ModelControl } from '../../src/admin/deps.ts';
import { noModels } from '../../src/config/models.ts';
import type { CacheUse } from '../../src/store/cache/cache-use.ts';
import { MemoryCache } from '../../src/store/cache/memory-cache.ts';
import { ResponseCache } from '../../src/store/cache/response-cache.ts';
import { model } from '../resolved-models.ts';
import { hostileModel, makeLively, requestId } from './lively-fleet.ts';
import { chromiumPath, eachInTab, key, screenshots } from './monitor-browser.ts';
import type { MonitorTab, Router } from './monitor-browser.ts';

// Skipped: needs the system's Chromium.
describe.skipIf(!existsSync(chromiumPath))('monitor page', () => {
  let tab: MonitorTab;
  let page: Page;
  let router: Router;
  eachInTab({}, (opened) => {
    tab = opened;
    ({ page, router } = opened);
  });

  const go = () => page.goto(`${router.url}/monitor`);
  const shoot = (name: string) =>
    page.screenshot({ path: resolve(screenshots, `${name}.png`), fullPage: true });
  const rows = (id: string) => page.locator(`#${id} tr`);

  test('tells tokens of today by model, and by key to those who may know the keys', async () => {
    makeLively(router.fleet);
    await go();
    await page.getByText('chat-ui').first().waitFor();
    expect(await rows('used-model-rows').count()).toBe(5);
    expect(await rows('used-key-rows').count()).toBe(3);
    expect(await page.locator('#used-value').innerText()).toMatch(/^\d+(\.\d)?[kM]$/);
    expect(await page.locator('#used-sub').innerText()).toContain('40% cached');
    expect(await page.locator('#used-spark .stroke').getAttribute('d')).toMatch(/^M0\.00 .*L100\.00/);
    await page.locator('.used').screenshot({ path: resolve(screenshots, 'tokens-dark.png') });
    await page.emulateMedia({ colorScheme: 'light' });
    await page.locator('.used').screenshot({ path: resolve(screenshots, 'tokens-light.png') });
  });

  test('shows how busy GPUs are, and no column for that where there are none', async () => {
    makeLively(router.fleet);
    await go();
    const gpu = (id: string) => rows('backend-rows').filter({ hasText: id }).locator('.gpu');
    await page.getByText('90 %').waitFor();
    expect(await gpu('gpu-1').getAttribute('title')).toBe('2 GPUs, 40.0 of 48.0 GiB, 67 °C');
    expect(await gpu('rack-a100').innerText()).toBe('–');
    expect(await gpu('rack-a100').getAttribute('title')).toBe('The monitor of its GPUs is silent');
    router.fleet.backends = router.fleet.backends.map(({ gpus: _gpus, ...backend }) => backend);
    router.fleet.advance(1000);
    await page.locator('th.gpu').waitFor({ state: 'hidden' });
    expect(await gpu('gpu-1').isVisible()).toBe(false);
  });

  test('tells how often earlier answers were given again, where they are kept', async () => {
    makeLively(router.fleet);
    await go();
    await rows('recent-rows').first().waitFor();
    expect(await page.locator('#cache').isVisible()).toBe(false);
    const cache = new ResponseCache({
      store: new MemoryCache({ bytesMax: 1000, nowEpochMs: () => 0 }),
      ttlMs: 1000,
      entryBytesMax: 1000,
      nowEpochMs: () => 0,
      onFault: () => {},
    });
    cache.hit('exact', { inputTokens: 11_000, outputTokens: 900 });
    cache.hit('semantic', undefined);
    cache.missed();
    cache.missed();
    router.fleet.cache = cache;
    const use: CacheUse = { result: 'semantic', refusal: undefined, copy: undefined };
    const again = router.fleet.open('again', { model: 'm', cache: use });
    router.fleet.deps.requests.finish(again, {
      outcome: 'completed',
      status: 200,
      errorCode: undefined,
    });
    router.fleet.advance(1000);
    await page.getByText('Cache: 2 of 4 known, 11.9k tokens saved').waitFor();
    await page.locator('#recent-panel').screenshot({ path: resolve(screenshots, 'cache.png') });
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await page.locator('#recent-panel').screenshot({ path: resolve(screenshots, 'cache-phone.png') });
    expect(await page.locator('#cache').getAttribute('title')).toBe(
      '2 answers given again, 1 of them to a similar question; 2 not known; saved 11.0k tokens in, 900 out',
    );
    const row = rows('recent-rows').filter({ hasText: 'again' });
    expect(await row.innerText()).toContain('cache');
    await row.getByRole('button').click();
    expect(await page.getByRole('dialog').innerText()).toContain('An earlier answer to a similar question');
  });

  test('shows figures alone where the router wants keys, until a reader has given one', async () => {
    makeLively(router.fleet);
    router.fleet.keysRequired = true;
    await go();
    await page.getByText('Serving, 4 of 6 live').waitFor();
    expect(await page.locator('#waiting-value').innerText()).toBe('7');
    expect(await page.locator('#slots-value').innerText()).toBe('38');
    expect(await page.locator('.panel:visible').count()).toBe(0);
    const shown = await page.locator('body').innerText();
    for (const name of ['gpu-1', 'gemma', 'qwen', 'chat-ui', '127.0.0.1']) expect(shown).not.toContain(name);
    await shoot('locked');
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.locator('#key').fill('wrong');
    await page.getByRole('button', { name: 'Use key' }).click();
    await page.getByText('The key was refused').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.locator('#key').fill(key);
    await page.getByRole('button', { name: 'Use key' }).click();
    await page.getByText('chat-ui').first().waitFor();
    expect(await rows('backend-rows').count()).toBe(6);
    expect(await page.getByRole('button', { name: 'Show all' }).isVisible()).toBe(false);
    await page.reload();
    await page.getByText('chat-ui').first().waitFor();
  });

  test('says so when no tokens were used', async () => {
    await go();
    await page.getByText('No tokens yet today').first().waitFor();
    expect(await page.locator('#used-value').innerText()).toBe('0');
    await page.locator('.used').screenshot({ path: resolve(screenshots, 'tokens-empty.png') });
  });

  test('shows a busy fleet at a glance', async () => {
    makeLively(router.fleet);
    router.fleet.demo = true;
    await go();
    await page.getByText('Serving, 4 of 6 live').waitFor();
    expect(await rows('backend-rows').count()).toBe(6);
    expect(await rows('queue-rows').count()).toBe(7);
    expect(await rows('running-rows').count()).toBe(8);
    expect(await rows('recent-rows').count()).toBe(50);
    expect(await page.locator('#waiting-value').innerText()).toBe('7');
    expect(await page.locator('#slots-value').innerText()).toBe('38');
    expect(await page.getByText('Simulated engines').isVisible()).toBe(true);
    await page.getByRole('button', { name: 'Stop simulated users' }).click();
    await expect.poll(() => router.fleet.traffic).toBe(false);
    router.fleet.advance(1000);
    await page.getByRole('button', { name: 'Start simulated users' }).waitFor();
    const first = rows('queue-rows').first();
    expect((await first.innerText()).split(/\s*\t\s*/)).toEqual([
      '1',
      '9f3ce21b-77a',
      'qwen3-coder-30b-a3b',
      expect.any(String),
      '3m 07s',
      '18.4k',
      '1.0',
    ]);
    const gpu1 = rows('backend-rows').filter({ hasText: 'gpu-1' });
    expect(await gpu1.locator('.cell').count()).toBe(8);
    expect(await gpu1.locator('.cells').getAttribute('aria-label')).toBe(
      '6 in use, 1 client left, 0 used by others, 1 free, of 8',
    );
    expect(await rows('backend-rows').filter({ hasText: 'attic' }).innerText()).toContain(
      'Connection refused',
    );
    expect(await rows('running-rows').filter({ hasText: 'reading prompt 43 %' }).count()).toBe(1);
    await shoot('dark');
  });

  test('follows a light theme and a narrow screen', async () => {
    await page.context().close();
    page = await tab.open({ colorScheme: 'light', viewport: { width: 1440, height: 1000 } });
    makeLively(router.fleet);
    await go();
    await rows('backend-rows').first().waitFor();
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(246, 247, 249)');
    await shoot('light');
    await page.keyboard.press('t');
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(11, 13, 17)');
    await page.reload();
    await rows('backend-rows').first().waitFor();
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark');
    await page.setViewportSize({ width: 1100, height: 900 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(1100);
    await shoot('tablet');
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await shoot('phone');
  });

  test('shows hostile model names as text', async () => {
    makeLively(router.fleet);
    await go();
    await rows('queue-rows').first().waitFor();
    expect(await page.locator('#queue-rows .name').nth(2).innerText()).toBe(hostileModel);
    expect(await page.locator('#backend-rows .chip').filter({ hasText: 'onerror' }).count()).toBe(1);
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(await page.title()).not.toContain('owned');
  });

  test('says what to do when there are no backends', async () => {
    await go();
    await page.getByText('No backends yet').waitFor();
    expect(await page.locator('#no-backends pre').innerText()).toContain('url: http://127.0.0.1:8080');
    expect(await page.locator('#backends').isVisible()).toBe(false);
    expect(await page.getByText('Queue is empty').isVisible()).toBe(true);
    await shoot('empty');
  });

  test('says that it is offline, keeps what it had, and comes back by itself', async () => {
    makeLively(router.fleet);
    await go();
    await rows('queue-rows').first().waitFor();
    router.down = true;
    await page.keyboard.press('r');
    const notice = page.getByRole('alert').filter({ hasText: 'No connection' });
    await notice.waitFor();
    expect(await notice.innerText()).toMatch(/What you see is \d+s old/);
    expect(await rows('queue-rows').count()).toBe(7);
    await shoot('offline');
    router.down = false;
    await notice.waitFor({ state: 'hidden', timeout: 15_000 });
    expect(await page.locator('#announcer').innerText()).toBe('Connected again');
  });

  test('follows the fleet from poll to poll and says aloud when a backend dies', async () => {
    makeLively(router.fleet);
    await go();
    await rows('queue-rows').first().waitFor();
    await page.evaluate('window.kept = document.querySelector("#backend-rows tr")');
    router.fleet.queued = [];
    router.fleet.backends = router.fleet.backends.map((backend) =>
      backend.id === 'gpu-1' ? { ...backend, state: 'dead', error: 'Connection refused' } : backend,
    );
    router.fleet.advance(1000);
    await page.getByText('Queue is empty').waitFor();
    expect(await page.locator('#announcer').innerText()).toBe('Backend gpu-1 is dead: Connection refused');
    expect(await page.evaluate('window.kept.isConnected')).toBe(true);
  });

  test('stops and goes on when it is paused', async () => {
    makeLively(router.fleet);
    await page.clock.install();
    await go();
    await rows('queue-rows').first().waitFor();
    let polls = 0;
    page.on('request', () => {
      polls += 1;
    });
    await page.keyboard.press('p');
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    const pollsAtPause = polls;
    await page.clock.fastForward(30_000);
    expect(await page.locator('#state').innerText()).toBe('Paused');
    expect(polls).toBe(pollsAtPause);
    router.fleet.advance(1000);
    router.fleet.queued = [];
    await page.keyboard.press('p');
    await page.getByText('Queue is empty').waitFor();
    expect(polls).toBeGreaterThan(pollsAtPause);
  });

  test('can be used from the keyboard alone', async () => {
    makeLively(router.fleet);
    await go();
    await rows('queue-rows').first().waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await shoot('help');
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    await page.keyboard.type('gemma');
    expect(await rows('queue-rows').count()).toBe(0);
    expect(await rows('backend-rows').count()).toBe(1);
    await page.keyboard.press('Escape');
    expect(await rows('queue-rows').count()).toBe(7);
    await page.keyboard.press('g');
    await page.keyboard.press('i');
    expect(await page.evaluate('document.activeElement.id')).toBe('running-panel');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: /^Request / }).waitFor();
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.className')).toBe('link');
  });

  test('cancels a request in two steps', async () => {
    makeLively(router.fleet);
    await go();
    const id = requestId(500);
    const row = rows('running-rows').filter({ hasText: id.slice(0, 12) });
    await row.getByRole('button', { name: 'Cancel' }).click();
    expect(router.fleet.calls).toEqual([]);
    await row.getByRole('button', { name: 'confirm' }).click();
    await page.getByText(`Request ${id.slice(0, 12)} cancelled`).waitFor();
    expect(router.fleet.calls).toEqual([`cancel ${id} operator`]);
  });

  test('asks for a key where one is wanted, again for a wrong one, and keeps it in the tab', async () => {
    makeLively(router.fleet);
    await go();
    const row = rows('backend-rows').filter({ hasText: 'gpu-1' });
    await row.waitFor();
    await page.keyboard.press('p');
    router.fleet.keysRequired = true;
    await row.getByRole('button', { name: 'Drain' }).click();
    const dialog = page.getByRole('dialog', { name: 'API key needed' });
    await dialog.waitFor();
    await shoot('key');
    await page.keyboard.type('wrong');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate('document.querySelector("#key").value')).toBe('');
    await dialog.waitFor();
    await page.locator('#key').fill(key);
    await page.keyboard.press('Enter');
    await page.getByText('gpu-1: takes no new requests').waitFor();
    expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain(key);
    expect(await page.evaluate('sessionStorage.getItem("llamero.key")')).toBe(key);
  });

  test('tells why a request went where it went', async () => {
    makeLively(router.fleet);
    await go();
    await page.getByRole('button', { name: requestId(501).slice(0, 12), exact: true }).click();
    await page.getByRole('button', { name: 'Show the decision' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('left out: already-failed').waitFor();
    expect(await dialog.locator('tr.winner').innerText()).toContain('gpu-2');
    expect(await dialog.innerText()).toContain('attic failed: ECONNREFUSED');
    expect(await dialog.innerText()).toContain('trimContext(12)');
    await page.screenshot({ path: resolve(screenshots, 'decision.png') });
  });

  test('loads and unloads models after their plan was read', async () => {
    const { deps, calls } = router.fleet;
    const states = new Map<string, 'stopped' | 'starting' | 'ready'>([
      ['org/coder', 'stopped'],
      ['gemma-3-27b-it', 'ready'],
    ]);
    Object.assign(deps.models, {
      config: () => ({ ...noModels, models: new Map([...states.keys()].map((id) => [id, model(id)])) }),
      stateOf: (id) => states.get(id),
      find: (id) => id,
      foreseeLoad: () => ({
        isLoaded: false,
        evicts: [{ model: 'gemma-3-27b-it', isBusy: true }],
        awaits: [],
        because: undefined,
        misfit: undefined,
      }),
      needOf: () => ({ vramBytes: 6 * 2 ** 30, ramBytes: undefined }),
      requestsOf: () => 2,
      load(id) {
        calls.push(`load ${id}`);
        states.set(id, 'starting');
        return new Promise(() => {});
      },
      unload(id) {
        calls.push(`unload ${id}`);
        states.set(id, 'stopped');
        return Promise.resolve(true);
      },
    } satisfies Partial<ModelControl>);
    makeLively(router.fleet);
    await go();
    await page.getByRole('button', { name: 'Load org/coder' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Takes 6.0 GiB of VRAM.').waitFor();
    expect(await dialog.innerText()).toContain('Unloads gemma-3-27b-it, once its requests are over.');
    await page.screenshot({ path: resolve(screenshots, 'plan.png') });
    expect(calls).toEqual([]);
    await dialog.getByRole('button', { name: 'Load' }).click();
    await page.getByText('org/coder: loading').waitFor();
    router.fleet.advance(1000);
    await page.getByText('loading …').waitFor();
    await page.getByRole('button', { name: 'Unload gemma-3-27b-it' }).click();
    await dialog.getByText('2 requests run on it and may finish first.').waitFor();
    await dialog.getByRole('button', { name: 'Unload' }).click();
    await page.getByText('gemma-3-27b-it: unloaded').waitFor();
    expect(calls).toEqual(['load org/coder', 'unload gemma-3-27b-it']);
    const table = page.locator('#model-panel .scroll');
    expect(await table.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
    await page.locator('#model-panel').screenshot({ path: resolve(screenshots, 'models.png') });
  });

  test('drains a backend', async () => {
    makeLively(router.fleet);
    await go();
    await page.getByRole('button', { name: 'Drain gpu-1' }).click();
    await page.getByText('gpu-1: takes no new requests').waitFor();
    expect(router.fleet.calls).toEqual(['drain gpu-1']);
  });
});
