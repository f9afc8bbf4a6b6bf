import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { readStoredKeys } from '../../keys/stored-keys.ts';
import { digestKey } from '../../keys/key-digest.ts';
import { runKeys } from './keys.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'llamero-keys-'));
  const mine = folder;
  onTestFinished(() => rmSync(mine, { recursive: true }));
});

async function run(...args: string[]) {
  const written = { stdout: '', stderr: '' };
  const io = {
    stdout: (text: string) => void (written.stdout += text),
    stderr: (text: string) => void (written.stderr += text),
    env: {},
    cwd: folder,
  };
  return { code: await runKeys(args, io), ...written };
}

const file = () => join(folder, 'keys.db');
const inFile = (...args: string[]) => run(...args, '--file', 'keys.db');

describe('llamero keys', () => {
  test('add prints a key once, and keeps its digest alone for the owner alone', async () => {
    const { code, stdout, stderr } = await inFile('add', 'phone');
    const key = stdout.trim();
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^sk-llamero-\S{43}\n$/)]);
    expect(stderr).toContain('not shown again');
    expect(readStoredKeys(file())).toMatchObject([{ name: 'phone', digest: digestKey(key), rules: {} }]);
    expect(readFileSync(file()).includes(key)).toBe(false);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect((await inFile('list')).stdout).not.toContain(key.slice(-20));
  });

  test('add takes every limit', async () => {
    const flags = [
      '--models',
      'a, b*',
      '--models',
      'c',
      '--routes',
      'openai',
      '--admin',
      'read',
      '--priority',
      '0',
    ];
    const rates = ['--requests-per-minute', '60', '--tokens-per-minute', '5000', '--concurrency', '2'];
    const budgets = ['--tokens-per-day', '7', '--tokens-per-month', '9', '--expires', '2030-01-31'];
    expect((await inFile('add', 'k', ...flags, ...rates, ...budgets)).code).toBe(0);
    expect(readStoredKeys(file())[0]?.rules).toEqual({
      models: ['a', 'b*', 'c'],
      routes: ['openai'],
      admin: 'read',
      priority: 0,
      requestsPerMinute: 60,
      tokensPerMinute: 5000,
      concurrency: 2,
      tokensPerDay: 7,
      tokensPerMonth: 9,
      expires: '2030-01-31',
    });
    const [head, row] = (await inFile('list')).stdout.split('\n');
    expect(head).toMatch(/^NAME +CREATED +EXPIRES +ADMIN +MODELS +ROUTES +LIMITS$/);
    expect(row).toMatch(
      /^k +\d{4}-\d\d-\d\d +2030-01-31 +read +a,b\*,c +openai +60 requests\/min, .*priority 0$/,
    );
  });

  test('a name is given once, and revoked once', async () => {
    await inFile('add', 'a');
    expect(await inFile('add', 'a')).toMatchObject({ code: 69, stdout: '' });
    expect((await inFile('revoke', 'a')).code).toBe(0);
    expect(await inFile('revoke', 'a')).toMatchObject({
      code: 69,
      stderr: expect.stringContaining("no key 'a'"),
    });
    expect((await inFile('add', 'a')).code).toBe(0);
  });

  test('the configuration tells the file, and which names it has given away', async () => {
    writeFileSync(
      join(folder, 'llamero.yaml'),
      'keysFile: of-team.db\napiKeys: [{ name: desk, key: x }, y]\n',
    );
    expect((await run('add', 'phone')).code).toBe(0);
    expect(readStoredKeys(join(folder, 'of-team.db'))).toHaveLength(1);
    expect((await run('add', 'desk')).code).toBe(69);
    expect((await run('add', 'key-2')).code).toBe(69);
  });

  test('says what it lacks', async () => {
    expect(await run('list')).toMatchObject({ code: 64, stderr: expect.stringContaining('--file') });
    writeFileSync(join(folder, 'llamero.yaml'), 'backends: {}\n');
    expect(await run('list')).toMatchObject({ code: 64, stderr: expect.stringContaining('no keysFile') });
    writeFileSync(join(folder, 'llamero.yaml'), 'keysfile: x\n');
    expect(await run('list')).toMatchObject({ code: 78, stderr: expect.stringContaining('keysFile') });
    writeFileSync(join(folder, 'broken.db'), 'this is no database');
    expect((await run('list', '--file', 'broken.db')).code).toBe(66);
  });

  test.each([
    [],
    ['show'],
    ['add'],
    ['add', 'a', 'b'],
    ['list', 'a'],
    ['list', '--models', 'a'],
    ['add', 'a', '--requests-per-minute', 'many'],
    ['add', 'a', '--requests-per-minute', '0'],
    ['add', 'a', '--admin', 'some'],
    ['add', 'a', '--routes', 'opennai'],
    ['add', 'a', '--expires', 'tomorrow'],
    ['add', 'a', '--expires', '2030-02-31'],
    ['add', 'a', '--quota', '5'],
  ])('refuses %j', async (...args) => {
    const { code, stderr, stdout } = await inFile(...args);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(/^llamero keys: .+\nUsage/);
  });

  test('--help explains', async () => {
    expect(await run('--help')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('keys revoke NAME'),
    });
  });
});
