import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const script = join(import.meta.dirname, 'fetch-llama-server.sh');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'llamero-fetch-'));
  mkdirSync(join(folder, 'parts'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the script with an apt that knows only these sources. */
function fetchFrom(sources: string, ...args: readonly string[]): { status: number | null; says: string } {
  writeFileSync(join(folder, 'parts', 'x.sources'), sources);
  writeFileSync(
    join(folder, 'apt.conf'),
    `Dir::Etc::sourcelist "${folder}/none";\nDir::Etc::sourceparts "${folder}/parts";\nAcquire::Retries "0";\n`,
  );
  const result = spawnSync('bash', [script, ...args], {
    encoding: 'utf8',
    env: { ...process.env, APT_CONFIG: join(folder, 'apt.conf') },
  });
  return { status: result.status, says: result.stderr };
}

const hasApt = existsSync('/usr/bin/apt-config');

test('the fetch script refuses arguments that it does not know', () => {
  expect(fetchFrom('', '--fresh')).toMatchObject({
    status: 64,
    says: expect.stringMatching(/unknown option --fresh/),
  });
  expect(fetchFrom('', 'a', 'b')).toMatchObject({
    status: 64,
    says: expect.stringMatching(/more than one cache folder/),
  });
});

test('the fetch script refuses a cache whose path would break the program', () => {
  const result = fetchFrom('', join(folder, 'a:b'));
  expect(result).toMatchObject({ status: 64, says: expect.stringMatching(/colons/) });
});

test('the fetch script says so when the machine names no Debian archive', (context) => {
  context.skip(!hasApt, 'there is no apt here');
  const security =
    'Types: deb\nURIs: http://127.0.0.1:9/debian-security\nSuites: stable-security\nComponents: main\n';
  const off = 'Types: deb\nURIs: http://127.0.0.1:9/debian\nSuites: stable\nComponents: main\nEnabled: no\n';
  const result = fetchFrom(`${security}\n${off}`, join(folder, 'cache'));
  expect(result).toMatchObject({ status: 72, says: expect.stringMatching(/name no Debian archive/) });
});

test('the fetch script fails with apt own words when the archive does not answer', (context) => {
  context.skip(!hasApt, 'there is no apt here');
  const result = fetchFrom(
    'Types: deb\nURIs: http://127.0.0.1:9/debian\nSuites: stable\nComponents: main contrib\n',
    join(folder, 'cache'),
  );
  expect(result.status).toBe(69);
  expect(result.says).toMatch(/^E: .*127\.0\.0\.1/m);
});
