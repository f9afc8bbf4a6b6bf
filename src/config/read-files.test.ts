import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoadResult } from './load.ts';
import { formatProblem } from './problems.ts';
import { readConfigFiles } from './read-files.ts';
import type { ConfigFiles } from './read-files.ts';

let cwd = '';
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'llamero-files-'));
});
afterAll(async () => {
  await rm(cwd, { recursive: true });
});

/** Writes files below the working folder; a name with a slash makes its folder. */
async function write(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(cwd, name, '..'), { recursive: true });
    await writeFile(join(cwd, name), text);
  }
}

async function read(files: ConfigFiles): Promise<LoadResult> {
  return readConfigFiles(files, { cwd, env: { KEYS: 'a, b' } });
}

async function problemsOf(files: ConfigFiles): Promise<string[]> {
  const result = await read(files);
  return result.ok ? [] : result.problems.map(formatProblem);
}

describe('readConfigFiles', () => {
  test('reads a file and names it as asked', async () => {
    await write({ 'a.yaml': 'limits: { nope: 1 }\n' });
    const result = await read({ file: 'a.yaml' });
    expect(result.ok ? [] : result.problems.map(formatProblem)).toEqual([
      "a.yaml:1:11 limits.nope: unknown key 'nope'",
    ]);
    expect(result.ok ? undefined : result.unreadable).toBe(false);
  });

  test('says why a file cannot be read', async () => {
    await write({ 'binary.yaml': Buffer.from([0xff, 0xfe, 0x00]) });
    for (const [file, reason] of [
      ['absent.yaml', 'no such file'],
      ['.', 'it is a directory'],
      ['binary.yaml', 'it is not UTF-8 text'],
    ] as const) {
      const result = await read({ file });
      expect(result.ok ? [] : result.problems.map(formatProblem)).toEqual([
        `${file} cannot be read: ${reason}`,
      ]);
      expect(result.ok ? undefined : result.unreadable).toBe(true);
    }
  });

  test('reads an endless file only to the bound', async () => {
    expect(await problemsOf({ file: '/dev/zero' })).toEqual(['/dev/zero:1:1 must be at most 4MiB']);
  });

  test('MRG-1 takes a file, a folder, or both, and nothing else', async () => {
    await write({
      'one/base.yaml': 'models: { a: { cmd: "s ${PORT}" } }\n',
      'extra.yaml': 'models: { b: { cmd: "s ${PORT}" } }\n',
    });
    const modelsOf = async (files: ConfigFiles): Promise<string[]> => {
      const result = await read(files);
      return result.ok ? Object.keys(result.config.models).sort() : ['failed'];
    };
    expect(await modelsOf({ file: 'extra.yaml' })).toEqual(['b']);
    expect(await modelsOf({ folder: 'one' })).toEqual(['a']);
    expect(await modelsOf({ file: 'extra.yaml', folder: 'one' })).toEqual(['a', 'b']);
    expect((await problemsOf({})).join()).toContain(
      'at least one of -config or -config-dir must be provided',
    );
  });

  test('MRG-2 refuses a file inside the folder, also through a link', async () => {
    await write({ 'two/a.yaml': 'globalTTL: 1\n' });
    await symlink(join(cwd, 'two/a.yaml'), join(cwd, 'link.yaml'));
    const message = 'is inside the configuration folder two: it would be read twice';
    expect(await problemsOf({ file: 'two/a.yaml', folder: 'two' })).toEqual([`two/a.yaml ${message}`]);
    expect(await problemsOf({ file: 'link.yaml', folder: 'two' })).toEqual([`link.yaml ${message}`]);
  });

  test('MRG-7 goes by file name, skips what is no configuration, and wants at least one', async () => {
    await write({
      'three/20.yml': 'apiKeys: [second]\n',
      'three/10.yaml': 'apiKeys: [first]\n',
      'three/00.yaml': '',
      'three/notes.txt': 'not: [yaml\n',
      'three/sub/x.yaml': 'globalTTL: 1\n',
      'base.yaml': 'apiKeys: [zeroth]\n',
    });
    await mkdir(join(cwd, 'empty'));
    const result = await read({ file: 'base.yaml', folder: 'three' });
    expect(result.ok && result.config.apiKeys).toEqual(['zeroth', 'first', 'second']);
    expect(result.ok && result.config.globalTTL).toBe(0);
    expect(await problemsOf({ file: 'base.yaml', folder: 'empty' })).toEqual([]);
    expect(await problemsOf({ folder: 'empty' })).toEqual(['empty no configuration sources found']);
    expect(await problemsOf({ folder: 'absent' })).toEqual(['absent cannot be read: no such file']);
  });

  test('tells what is wrong with named files beside all other problems', async () => {
    await write({ 'both.yaml': 'limits: { nope: 1 }\nstore: { path: gone/x.db }\nodd: 1\n' });
    const result = await read({ file: 'both.yaml' });
    expect(result.ok ? [] : result.problems.map(formatProblem)).toEqual([
      "both.yaml:1:11 limits.nope: unknown key 'nope'",
      'both.yaml:2:16 store.path: store.path is in a folder that is missing or not writable',
    ]);
    expect(result.warnings.map(formatProblem)).toEqual(["both.yaml:3:1 odd: unknown key 'odd' is ignored"]);
  });

  test('CFG-13 store.path must be a file that can be written, or be made', async () => {
    await write({ 'stored/here.db': '' });
    const problems = async (path: string): Promise<string> => {
      await write({ 'store.yaml': `store:\n  path: "${path}"\n` });
      return (await problemsOf({ file: 'store.yaml' })).join('\n');
    };
    expect(await problems('stored/new.db')).toBe('');
    expect(await problems('stored/here.db')).toBe('');
    expect(await problems('missing/new.db')).toBe(
      'store.yaml:2:9 store.path: store.path is in a folder that is missing or not writable',
    );
    expect(await problems('stored')).toContain('store.path is not a regular file');
    expect(await problems('')).toBe('store.yaml:2:9 store.path: store.path must not be empty');
  });
});
