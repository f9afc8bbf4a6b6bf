import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { completed, missingFrom } from './complete-lock.ts';
import type { Lock } from './complete-lock.ts';

const lock: Lock = {
  packages: {
    '': {},
    'node_modules/@x/binding-linux-x64-gnu': { version: '1.2.3' },
    'node_modules/a': {
      version: '1.2.3',
      dev: true,
      license: 'MIT',
      optionalDependencies: {
        '@x/binding-linux-x64-gnu': '1.2.3',
        '@x/binding-linux-arm-musleabihf': '1.2.3',
      },
    },
    'node_modules/a/node_modules/b': {
      version: '2.0.0',
      optionalDependencies: { 'b-darwin-arm64': '2.0.0', c: '^3' },
    },
    'node_modules/c': { version: '3.1.0' },
  },
};

test('package-lock.json holds every optional package that it names', () => {
  const file = resolve(import.meta.dirname, '..', 'package-lock.json');
  expect(missingFrom(JSON.parse(readFileSync(file, 'utf8')) as Lock)).toEqual([]);
});

test('missingFrom looks in every folder where Node would', () => {
  expect(missingFrom(lock).map(({ name }) => name)).toEqual([
    '@x/binding-linux-arm-musleabihf',
    'b-darwin-arm64',
  ]);
});

test('completed adds what is missing for its platform only, in order', () => {
  const packages = completed(lock).packages;
  expect(packages['node_modules/@x/binding-linux-arm-musleabihf']).toEqual({
    version: '1.2.3',
    os: ['linux'],
    cpu: ['arm'],
    libc: ['musl'],
    dev: true,
    license: 'MIT',
    optional: true,
  });
  expect(packages['node_modules/b-darwin-arm64']).toMatchObject({
    version: '2.0.0',
    os: ['darwin'],
    cpu: ['arm64'],
  });
  expect(missingFrom(completed(lock))).toEqual([]);
  expect(Object.keys(packages)).toEqual(Object.keys(packages).sort((a, b) => a.localeCompare(b, 'en')));
});

test('completed refuses what it would have to guess', () => {
  const wants = (optionalDependencies: Record<string, string>): Lock => ({
    packages: { 'node_modules/a': { optionalDependencies } },
  });
  expect(() => completed(wants({ 'a-linux-x64': '^1.0.0' }))).toThrow('not as one version');
  expect(() => completed(wants({ 'a-native': '1.0.0' }))).toThrow('does not tell its platform');
});
