/** The programs to compare with. Debian packages; installed when that is possible, else left out with a word. */
import { spawnSync } from 'node:child_process';
import type { StackName } from './stacks.ts';

/** Path-independent: Debian keeps both in /usr/sbin, which is not on every user's PATH. */
export function addSystemFolders(path: string): string {
  return `${path}:/usr/local/sbin:/usr/sbin:/sbin`;
}

/** Version of an installed program, undefined when it is not here. */
export function versionOf(program: 'haproxy' | 'nginx'): string | undefined {
  const result = spawnSync(program, ['-v'], { encoding: 'utf8' });
  if (result.error !== undefined || result.status !== 0) return undefined;
  return /(?:version |nginx\/)([\w.+~-]+)/.exec(result.stdout + result.stderr)?.[1] ?? 'unknown';
}

/** Sees to the programs that the stacks need; returns the stacks that can run. `say` gets what is missing and why. */
export function provideStacks(wanted: readonly StackName[], say: (line: string) => void): StackName[] {
  const needed = (['haproxy', 'nginx'] as const).filter((program) =>
    wanted.some((name) => name.startsWith(program)),
  );
  const absent = needed.filter((program) => versionOf(program) === undefined);
  if (absent.length > 0) install(absent, say);
  const missing = needed.filter((program) => versionOf(program) === undefined);
  for (const program of missing)
    say(`${program} is not installed, so it is left out (Debian: apt-get install ${program})`);
  return wanted.filter((name) => !missing.some((program) => name.startsWith(program)));
}

function install(programs: readonly string[], say: (line: string) => void): void {
  if (process.getuid?.() !== 0) return;
  say(`installing ${programs.join(' and ')} with apt-get`);
  // In runlevel 1 Debian's packages do not start the service they bring.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const apt = (...step: string[]) =>
    spawnSync('apt-get', ['-q', '-y', '-oDPkg::Lock::Timeout=120', ...step], {
      encoding: 'utf8',
      env,
      timeout: 300_000,
    });
  // A stale list of one archive must not prevent an install from the others.
  apt('update');
  const result = apt('install', '--no-install-recommends', ...programs);
  if (result.status !== 0)
    say(`apt-get failed: ${(result.stderr ?? String(result.error)).trim().split('\n').at(-1)}`);
}
