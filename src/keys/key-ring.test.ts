import { expect, test } from 'vitest';
import { createKeyText, digestKey } from './key-digest.ts';
import { KeyRing } from './key-ring.ts';
import { namesModel, toKeyRules } from './key-rules.ts';

const stored = (name: string, key: string) => ({
  name,
  digest: digestKey(key),
  rules: {},
  createdEpochMs: 0,
});

test('keys of configuration and file are found by what callers show; the configuration comes first', () => {
  const ring = new KeyRing();
  ring.configure(['plain', { name: 'desk', key: 'of-desk' }], { hasFile: true });
  ring.store([stored('phone', 'of-phone'), stored('desk', 'other'), stored('twin', 'plain')]);
  const nameOf = (key: string) => ring.find(key)?.name;
  expect(['plain', 'of-desk', 'of-phone', 'other', 'wrong'].map(nameOf)).toEqual([
    'key-1',
    'desk',
    'phone',
    undefined,
    undefined,
  ]);
  expect(ring.all().map(({ name, source }) => `${name} ${source}`)).toEqual([
    'desk config',
    'key-1 config',
    'phone file',
  ]);
});

test('with a file a key is required, be there none; without it its keys are forgotten', () => {
  const ring = new KeyRing();
  ring.configure([], { hasFile: true });
  ring.store([stored('a', 'of-a')]);
  expect([ring.isRequired, ring.find('of-a')?.name]).toEqual([true, 'a']);
  ring.configure([], { hasFile: false });
  expect([ring.isRequired, ring.find('of-a')]).toEqual([false, undefined]);
});

test.each([
  [{}, 'full'],
  [{ priority: 0 }, 'full'],
  [{ models: ['a'] }, 'none'],
  [{ requestsPerMinute: 1 }, 'none'],
  [{ expires: '2030-01-01' }, 'none'],
  [{ models: ['a'], admin: 'read' }, 'read'],
] as const)('a key with %o has admin %s', (written, admin) => {
  const { models, ...rest } = { models: undefined, ...written };
  expect(toKeyRules('k', 'config', { ...rest, ...(models && { models: [...models] }) }).admin).toBe(admin);
});

test('patterns name models; without any every model is named', () => {
  const some = toKeyRules('k', 'config', { models: ['qwen*', 'phi'] });
  expect(['qwen3', 'phi', 'phi4'].map((name) => namesModel(some, name))).toEqual([true, true, false]);
  expect(namesModel(toKeyRules('k', 'config', {}), 'anything')).toBe(true);
});

test('new keys are long and none comes twice', () => {
  const keys = Array.from({ length: 100 }, createKeyText);
  expect(new Set(keys).size).toBe(100);
  for (const key of keys) expect(key).toMatch(/^sk-llamero-[\w-]{43}$/);
});
