/**
 * Provides what the tests need beyond npm packages: a real llama-server, a Chromium and a Valkey. Runs before the tests; what
 * cannot be had is written down with the reason, and the tests that need it are skipped. With CI=true that is an error.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { setupFile } from '../test/setup.ts';
import type { ProvidedName, TestSetup } from '../test/setup.ts';

const root = resolve(import.meta.dirname, '..');
const llamaCache = join(root, '.cache', 'real-llama');

/** One thing that tests need. `install` may take minutes; it returns the path, or throws an Error with the reason. */
export interface Provision {
  readonly name: ProvidedName;
  readonly title: string;
  readonly whatFor: string;
  /** Path of the program if it is here and works. Fast. */
  present(): string | undefined;
  install(): string;
}

/** Tries to provide everything; never throws. `say` gets one line per step that is worth reading. */
export function provideAll(provisions: readonly Provision[], say: (line: string) => void): TestSetup {
  const setup: Record<string, TestSetup[ProvidedName]> = {};
  for (const provision of provisions) setup[provision.name] = provide(provision, say);
  return setup as unknown as TestSetup;
}

function provide(provision: Provision, say: (line: string) => void): TestSetup[ProvidedName] {
  const found = provision.present();
  if (found !== undefined) return { path: found, missing: undefined };
  say(`${provision.title} (${provision.whatFor}) is not here yet; getting it`);
  try {
    const path = provision.install();
    say(`${provision.title}: ${path}`);
    return { path, missing: undefined };
  } catch (error) {
    const missing = error instanceof Error ? error.message : String(error);
    say(`${provision.title} cannot be had here: ${missing}`);
    say(`  so these tests will be skipped: ${provision.whatFor}`);
    return { path: undefined, missing };
  }
}

const llamaServer: Provision = {
  name: 'llamaServer',
  title: 'llama-server',
  whatFor: 'tests against a real llama.cpp',
  present() {
    const wrapper = join(llamaCache, 'llama-server');
    const works = isProgram(wrapper) && run([wrapper, '--version'], 10_000).ok;
    return works ? wrapper : undefined;
  },
  install() {
    const script = join(root, 'test', 'real', 'fetch-llama-server.sh');
    const result = run(['bash', script, llamaCache], 600_000);
    const path = result.stdout.trim().split('\n').at(-1) ?? '';
    if (result.ok && isProgram(path)) return path;
    throw new Error(result.lastWords);
  },
};

const chromiumNames = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

const chromium: Provision = {
  name: 'chromium',
  title: 'Chromium',
  whatFor: 'the test of the monitor page in a browser',
  present: () => findOnPath(chromiumNames),
  install: () => installed('chromium', chromiumNames),
};

/** Debian's redis-server and valkey-server would start a service; the tools beside them are the same program by another name. */
const valkeyNames = ['valkey-server', 'valkey-check-rdb', 'redis-server', 'redis-check-rdb'];

const valkey: Provision = {
  name: 'valkey',
  title: 'Valkey or Redis',
  whatFor: 'tests of the response cache that routers share',
  present: () => findOnPath(valkeyNames),
  install() {
    try {
      return installed('valkey-tools', valkeyNames);
    } catch {
      // Debian 12 has not got it.
      return installed('redis-tools', valkeyNames);
    }
  },
};

/** Path of the program that Debian's package brought. @throws Error with the reason */
function installed(name: string, programs: readonly string[]): string {
  if (findOnPath(['apt-get']) === undefined) throw new Error(`no apt-get here; install ${name} by hand`);
  if (process.getuid?.() !== 0) throw new Error(`only root can install it: apt-get install ${name}`);
  // Another apt may be at work: wait for its lock instead of failing.
  const apt = ['apt-get', '-q', '-y', '-oDPkg::Lock::Timeout=120', '-oAcquire::Retries=2'];
  // A stale list of one archive must not prevent an install from the others.
  const update = run([...apt, 'update'], 300_000);
  const install = run([...apt, 'install', '--no-install-recommends', name], 300_000);
  if (!install.ok)
    throw new Error(
      `apt-get install: ${install.lastWords}${update.ok ? '' : `; update: ${update.lastWords}`}`,
    );
  const path = findOnPath(programs);
  if (path === undefined) throw new Error(`the package ${name} brought none of ${programs.join(', ')}`);
  return path;
}

interface RunResult {
  readonly ok: boolean;
  readonly stdout: string;
  /** The line that says best why it failed. */
  readonly lastWords: string;
}

function run(command: readonly string[], timeoutMs: number): RunResult {
  const [program = '', ...args] = command;
  const result = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: timeoutMs,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    maxBuffer: 64 * 1024 * 1024,
  });
  const lines = `${result.stdout}\n${result.stderr}`.trim().split('\n');
  const complaint = lines.find((line) => line.startsWith('E: ')) ?? lines.at(-1);
  const ending = result.error?.message ?? `exit status ${result.status ?? result.signal}`;
  return {
    ok: result.status === 0,
    stdout: result.stdout,
    lastWords: complaint ? `${complaint} (${ending})` : ending,
  };
}

function findOnPath(names: readonly string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function main(): void {
  const setup = provideAll([llamaServer, chromium, valkey], (line) => console.log(`setup: ${line}`));
  mkdirSync(resolve(setupFile, '..'), { recursive: true });
  writeFileSync(setupFile, `${JSON.stringify(setup, undefined, 2)}\n`);
  const missing = Object.values(setup).filter((provided) => provided.path === undefined);
  if (process.env['CI'] === 'true' && missing.length > 0) {
    console.log(
      `setup: CI=true and ${missing.length} missing: no test may be skipped there\n0 passed, ${missing.length} failed`,
    );
    process.exitCode = 1;
  }
}

if (process.argv[1] === import.meta.filename) main();
