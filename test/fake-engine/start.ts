/** Starts fake engines for tests: in this process, or as a child that can be killed. */
import { spawn } from 'node:child_process';
import path from 'node:path';

import type { SimEngine } from '../../src/sim/engine/engine.ts';
import type { Fault } from './fault.ts';
import { createFakeEngine, type FakeEngineOptions, type FakeEngineReport } from './fake-engine.ts';

export interface FakeEngine {
  readonly url: string;
  readonly port: number;
  readonly controlUrl: string;
  fault(fault: Fault): Promise<void>;
  report(): Promise<FakeEngineReport>;
  reset(): Promise<void>;
  close(): Promise<void>;
}

export interface LocalFakeEngine extends FakeEngine {
  readonly engine: SimEngine;
}

export interface SpawnedFakeEngine extends FakeEngine {
  readonly pid: number;
  /** SIGKILL; resolves when it is gone. */
  kill9(): Promise<void>;
}

const readyMsMax = 10_000;

export async function startFakeEngine(options: FakeEngineOptions = {}): Promise<LocalFakeEngine> {
  const core = await createFakeEngine(options);
  const { url, port, controlUrl, engine } = core;
  return {
    url,
    port,
    controlUrl,
    engine,
    fault: async (fault) => core.fault(fault),
    report: async () => core.report(),
    reset: async () => core.reset(),
    close: () => core.close(),
  };
}

export async function spawnFakeEngine(options: FakeEngineOptions = {}): Promise<SpawnedFakeEngine> {
  const main = path.join(import.meta.dirname, 'main.ts');
  const child = spawn(process.execPath, [main, '--options', JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  async function kill9(): Promise<void> {
    child.kill('SIGKILL');
    await ended;
  }
  const [url, controlUrl] = await new Promise<[string, string]>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`fake engine not ready in ${readyMsMax} ms`)),
      readyMsMax,
    );
    child.once('exit', () => reject(new Error('fake engine ended before it was ready')));
    let said = '';
    child.stdout.on('data', (text: Buffer) => {
      said += text.toString();
      const found = /^listening on (\S+)\ncontrol on (\S+)\n/m.exec(said);
      if (found?.[1] === undefined || found[2] === undefined) return;
      clearTimeout(timer);
      resolve([found[1], found[2]]);
    });
  }).catch(async (error: unknown) => {
    await kill9();
    throw error;
  });
  return {
    url,
    port: Number(new URL(url).port),
    controlUrl,
    pid: child.pid ?? 0,
    fault: async (fault) => void (await call(controlUrl, '/__fault', fault)),
    report: async () => (await call(controlUrl, '/__requests')) as FakeEngineReport,
    reset: async () => void (await call(controlUrl, '/__reset', {})),
    kill9,
    close: kill9,
  };
}

async function call(controlUrl: string, route: string, body?: unknown): Promise<unknown> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(controlUrl + route, init);
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer;
}
