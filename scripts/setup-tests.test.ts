import { expect, test } from 'vitest';
import { provideAll } from './setup-tests.ts';
import type { Provision } from './setup-tests.ts';

function provision(over: Partial<Provision>): Provision {
  return {
    name: 'chromium',
    title: 'Chromium',
    whatFor: 'browser tests',
    present: () => undefined,
    install: () => '/opt/chromium',
    ...over,
  };
}

test('provideAll takes what is present and installs nothing', () => {
  const said: string[] = [];
  const install = () => {
    throw new Error('must not be called');
  };
  const setup = provideAll([provision({ present: () => '/usr/bin/chromium', install })], (line) =>
    said.push(line),
  );
  expect(setup.chromium).toEqual({ path: '/usr/bin/chromium', missing: undefined });
  expect(said).toEqual([]);
});

test('provideAll installs what is absent and says so', () => {
  const said: string[] = [];
  const setup = provideAll([provision({})], (line) => said.push(line));
  expect(setup.chromium).toEqual({ path: '/opt/chromium', missing: undefined });
  expect(said).toEqual(['Chromium (browser tests) is not here yet; getting it', 'Chromium: /opt/chromium']);
});

test('provideAll keeps the reason when an install fails, and goes on with the next', () => {
  const said: string[] = [];
  const setup = provideAll(
    [
      provision({
        name: 'llamaServer',
        title: 'llama-server',
        whatFor: 'real tests',
        install: () => {
          throw new Error('no network');
        },
      }),
      provision({}),
    ],
    (line) => said.push(line),
  );
  expect(setup.llamaServer).toEqual({ path: undefined, missing: 'no network' });
  expect(setup.chromium.path).toBe('/opt/chromium');
  expect(said).toContain('llama-server cannot be had here: no network');
  expect(said).toContain('  so these tests will be skipped: real tests');
});
