/** docs/images/monitor.png: the monitor page of the demo at a busy moment: its users and some more. Takes the Chromium of the system. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';

const root = resolve(import.meta.dirname, '..');
const router = 'http://127.0.0.1:8700';
const url = `${router}/monitor`;
/** Long enough that every chart has a shape. */
const trafficMs = 60_000;
/** More than there are slots. */
const moreUsers = 16;
/** Until they have waited for a while. */
const waitMs = 4000;
const startMsMax = 20_000;

const demo = spawn(process.execPath, ['src/main.ts', 'demo'], { cwd: root, stdio: 'ignore' });
const ended = once(demo, 'exit');
try {
  await untilServed();
  await sleep(trafficMs);
  for (let user = 0; user < moreUsers; user += 1) void askFor(user);
  await sleep(waitMs);
  await takePicture();
} finally {
  demo.kill();
  await ended;
}

async function untilServed(): Promise<void> {
  for (const deadlineMs = performance.now() + startMsMax; performance.now() < deadlineMs; await sleep(200)) {
    if (demo.exitCode !== null) throw new Error('The demo does not start: is its port taken?');
    if ((await fetch(url).catch(() => undefined))?.ok === true) return;
  }
  throw new Error(`No answer from ${url}`);
}

/** Its answer is of no interest. */
async function askFor(user: number): Promise<void> {
  const content = `Tell me about river number ${user}. `.repeat(80);
  const body = { model: 'sim-qwen3-8b', stream: true, messages: [{ role: 'user', content }] };
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${router}/v1/chat/completions`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  }).catch(() => undefined);
  await answer?.text().catch(() => '');
}

async function takePicture(): Promise<void> {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  const page = await browser.newPage({ colorScheme: 'dark', viewport: { width: 1440, height: 940 } });
  await page.goto(url);
  await page.locator('#queue-rows tr').nth(3).waitFor();
  await page.screenshot({ path: resolve(root, 'docs/images/monitor.png') });
  await browser.close();
}
