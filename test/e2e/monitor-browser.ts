/** A browser before the monitor page, and a router with a made-up fleet behind the real admin API. */
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { createAdminApp } from '../../src/admin/app.ts';
import { isOpenAdminPath } from '../../src/admin/paths.ts';
import { createFakeFleet, readingKey as key } from '../fake-admin-deps.ts';
import type { FakeFleet } from '../fake-admin-deps.ts';

export { readingKey as key } from '../fake-admin-deps.ts';

/** Where the system has it; tests are skipped where it is not. */
export const chromiumPath = '/usr/bin/chromium';
export const screenshots = resolve(import.meta.dirname, '../../.cache/screenshots');
export interface Router {
  readonly fleet: FakeFleet;
  readonly url: string;
  readonly server: Server;
  /** While true every request is cut off. */
  down: boolean;
}

export interface MonitorTab {
  readonly router: Router;
  readonly page: Page;
  /** Another tab, closed with the first one; its errors count, too. */
  open(options: BrowserContextOptions): Promise<Page>;
}

/**
 * Before each test of the suite a router, and a tab that may look at it; `onOpen` gets both. Afterwards both are closed, and
 * no page may have made an error.
 */
export function eachInTab(options: BrowserContextOptions, onOpen: (tab: MonitorTab) => void): void {
  let browser: Browser;
  let router: Router;
  let pages: Page[];
  let pageErrors: string[];
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    router = await startRouter();
    pages = [];
    pageErrors = [];
    const open = async (of: BrowserContextOptions): Promise<Page> => {
      const page = await openTab(browser, of, pageErrors);
      pages.push(page);
      return page;
    };
    const page = await open({ colorScheme: 'dark', viewport: { width: 1440, height: 1000 }, ...options });
    onOpen({ router, page, open });
  });
  afterEach(async () => {
    for (const page of pages) await page.context().close();
    router.server.closeAllConnections();
    router.server.close();
    expect(pageErrors).toEqual([]);
  });
}

async function startRouter(): Promise<Router> {
  const fleet = createFakeFleet();
  const listener = getRequestListener(createAdminApp(fleet.deps).fetch, { overrideGlobalObjects: false });
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const knownCaller = !fleet.keysRequired || request.headers.authorization === `Bearer ${key}`;
    if (router.down) request.socket.destroy();
    else if (knownCaller || isOpenAdminPath(path)) void listener(request, response);
    else {
      const error = {
        message: 'Missing or wrong API key',
        type: 'authentication_error',
        param: null,
        code: 'unauthorized',
      };
      response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
    }
  });
  await new Promise<void>((ready) => {
    server.listen(0, '127.0.0.1', ready);
  });
  const router: Router = {
    fleet,
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    down: false,
  };
  return router;
}

function launchBrowser(): Promise<Browser> {
  mkdirSync(screenshots, { recursive: true });
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A tab whose errors, also those of the content security policy, are added to `pageErrors`. */
async function openTab(
  browser: Browser,
  options: BrowserContextOptions,
  pageErrors: string[],
): Promise<Page> {
  const page = await browser.newPage(options);
  page.on('pageerror', (error) => pageErrors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('Failed to load resource'))
      pageErrors.push(message.text());
  });
  return page;
}
