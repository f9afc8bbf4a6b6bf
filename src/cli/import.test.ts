import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runImport } from './import.ts';

let cwd = '';

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'llamero-import-'));
  await writeFile(join(cwd, 'lb.env'), 'OLLAMA_SERVERS=gpu:11434\nMETRICS_PORT=8080\n');
});

afterEach(async () => {
  await rm(cwd, { recursive: true });
});

async function run(...args: string[]) {
  const written = { stdout: '', stderr: '' };
  const code = await runImport(args, {
    stdout: (text) => (written.stdout += text),
    stderr: (text) => (written.stderr += text),
    env: {},
    cwd,
  });
  return { code, ...written };
}

describe('runImport', () => {
  test('prints the configuration, and what was not carried apart from it', async () => {
    const { code, stdout, stderr } = await run('ollama-lb', 'lb.env');
    expect(code).toBe(0);
    expect(stdout).toContain('url: http://gpu:11434');
    expect(stderr).toBe(
      'Not carried as it was:\n  METRICS_PORT = 8080 (lb.env:2): belongs to the GPU monitor beside each server: run `llamero gpu-monitor` there instead\n',
    );
  });

  test('names the variables that have to be set, and never a secret', async () => {
    await writeFile(join(cwd, 'n.yaml'), 'router_api_key: hunter2\n');
    const { stdout, stderr } = await run('nomyo', 'n.yaml');
    expect(stderr).toBe(
      'To be set before the start:\n  NOMYO_ROUTER_API_KEY: key of clients, router_api_key there\n',
    );
    expect(stdout).toContain('apiKeys: ["${env.NOMYO_ROUTER_API_KEY}"]');
    expect(stdout).not.toContain('hunter2');
  });

  test('takes ollama-lb without a file, and its environment from a file', async () => {
    expect((await run('ollama-lb')).stdout).toContain('url: http://ollama-1:11435');
    expect((await run('ollama-lb', '--env-file', 'lb.env')).stdout).toContain('url: http://gpu:11434');
  });

  test('writes a file whole, and nothing else', async () => {
    const { code, stdout } = await run('ollama-lb', 'lb.env', '-o', 'llamero.yaml');
    expect([code, stdout]).toEqual([0, '']);
    expect(await readFile(join(cwd, 'llamero.yaml'), 'utf8')).toContain('preset: ollama-lb');
    expect((await readdir(cwd)).sort()).toEqual(['lb.env', 'llamero.yaml']);
  });

  test('keeps a file that exists, unless it is forced', async () => {
    await writeFile(join(cwd, 'llamero.yaml'), 'mine');
    const kept = await run('ollama-lb', 'lb.env', '-o', 'llamero.yaml');
    expect(kept).toEqual({ code: 64, stdout: '', stderr: 'llamero.yaml exists: --force overwrites it\n' });
    expect(await readFile(join(cwd, 'llamero.yaml'), 'utf8')).toBe('mine');
    expect((await run('ollama-lb', 'lb.env', '-o', 'llamero.yaml', '--force')).code).toBe(0);
    expect(await readFile(join(cwd, 'llamero.yaml'), 'utf8')).toContain('preset: ollama-lb');
    expect((await readdir(cwd)).sort()).toEqual(['lb.env', 'llamero.yaml']);
  });

  test('tells where a file is wrong', async () => {
    await writeFile(join(cwd, 'n.yaml'), 'endpoints:\n  url: http://a\n');
    expect(await run('nomyo', 'n.yaml', '-o', 'out.yaml')).toEqual({
      code: 78,
      stdout: '',
      stderr: 'n.yaml:2:3 endpoints: must be a list\n',
    });
    expect(await readdir(cwd)).not.toContain('out.yaml');
  });

  test.each([
    [['nomyo', 'absent.yaml'], 66, 'absent.yaml cannot be read: no such file\n'],
    [['ollama-lb', 'lb.env', '--env-file', 'x'], 66, 'x cannot be read: no such file\n'],
    [['ollama-lb', 'lb.env', '-o', 'no/where.yaml'], 69, 'no/where.yaml cannot be written: no such file\n'],
  ])('%j ends with %d', async (args, code, stderr) => {
    expect(await run(...args)).toEqual({ code, stdout: '', stderr });
  });

  test.each([[[]], [['nginx', 'a']], [['nomyo']], [['nomyo', 'a', 'b']], [['nomyo', 'a', '--nope']]])(
    'explains itself for wrong arguments %j',
    async (args) => {
      const { code, stdout, stderr } = await run(...args);
      expect([code, stdout]).toEqual([64, '']);
      expect(stderr).toContain('Usage: llamero import nomyo FILE');
    },
  );

  test('prints its usage on request', async () => {
    expect(await run('--help')).toMatchObject({ code: 0, stderr: '' });
  });
});
