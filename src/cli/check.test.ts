import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCheck } from './check.ts';
import { runSchema } from './schema.ts';
import type { ExitCode } from './exit-codes.ts';
import type { CliIo } from './io.ts';

const root = resolve(import.meta.dirname, '../..');
const env = {
  LLAMERO_API_KEY: 'k',
  KEY_CHAT_UI: 'k1',
  KEY_BATCH: 'k2',
  KEY_STUDENTS: 'k3',
  VLLM_API_KEY: 'k4',
  HOSTED_API_KEY: 'k5',
  MONITOR_KEY: 'k6',
};

async function run(
  command: (args: readonly string[], io: CliIo) => Promise<ExitCode>,
  ...args: string[]
): Promise<{ code: ExitCode; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const code = await command(args, {
    stdout: (text) => (written.stdout += text),
    stderr: (text) => (written.stderr += text),
    env,
    cwd: root,
  });
  return { code, ...written };
}

describe('runCheck', () => {
  const examples = readdirSync(resolve(root, 'examples'));

  test.each(examples)('passes examples/%s without a warning', async (name) => {
    const { code, stdout, stderr } = await run(runCheck, `examples/${name}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      new RegExp(`^examples/${name}: ok, (?:\\d (?:backend|model|peer)s?, )+listening on [^,]+\n$`),
    );
  });

  test.each(examples)('finds the schema that examples/%s names', (name) => {
    const [firstLine = ''] = readFileSync(resolve(root, 'examples', name), 'utf8').split('\n');
    const path = /^# yaml-language-server: \$schema=(\S+)$/.exec(firstLine)?.[1] ?? '';
    expect(resolve(root, 'examples', path)).toBe(resolve(root, 'schema/llamero.schema.json'));
  });

  test.each([
    ['nomyo.yaml', 'nomyo-router: llamero import nomyo'],
    ['nomyo-minimal.yaml', 'nomyo-router: llamero import nomyo'],
    ['llamacpp-ha.json', 'llamacpp-ha: llamero import llamacpp-ha'],
    ['ollama-lb.env', 'ollama-lb: llamero import ollama-lb'],
  ])('says of %s whose configuration it is', async (name, hint) => {
    const file = `test/fixtures/import/${name}`;
    const { stderr } = await run(runCheck, file);
    expect(stderr).toContain(`${file} looks like a configuration of ${hint} ${file}\n`);
  });

  test('sums up a file with warnings', async () => {
    const result = await run(runCheck, 'test/fixtures/config/good/open-without-keys.yaml');
    expect(result).toEqual({
      code: 0,
      stdout:
        'test/fixtures/config/good/open-without-keys.yaml: ok, 1 backend, listening on 0.0.0.0:8700, 1 warning\n',
      stderr:
        'test/fixtures/config/good/open-without-keys.yaml:1:9 listen: other machines can use this address without a key (warning)\n',
    });
  });

  test('tells each problem on a line of its own', async () => {
    const file = 'test/fixtures/config/bad/missing-url.yaml';
    expect(await run(runCheck, file)).toEqual({
      code: 78,
      stdout: '',
      stderr: `${file}:2:3 backends.a.url: is missing\n${file}:3:3 backends.b.url: is missing\n${file}:4:3 backends.c.url: is missing\n`,
    });
  });

  test('takes a folder, by itself or after a file', async () => {
    const folder = 'test/fixtures/config/folder';
    expect(await run(runCheck, '--config-dir', folder)).toMatchObject({
      code: 0,
      stdout: `${folder}: ok, 2 models, listening on 127.0.0.1:8700\n`,
    });
    expect(await run(runCheck, 'examples/minimal.yaml', '--config-dir', folder)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`examples/minimal.yaml and ${folder}: ok, `),
    });
  });

  test('tells a file that is not there', async () => {
    expect(await run(runCheck, 'absent.yaml')).toEqual({
      code: 66,
      stdout: '',
      stderr: 'absent.yaml cannot be read: no such file\n',
    });
  });

  test.each([[[]], [['a', 'b']], [['--unknown']]])('explains itself for wrong arguments %j', async (args) => {
    const { code, stdout, stderr } = await run(runCheck, ...args);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toContain('Usage: llamero check FILE');
  });

  test('prints its usage on request', async () => {
    expect(await run(runCheck, '--help')).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('runSchema', () => {
  test('prints the schema that the project ships', async () => {
    const shipped = readFileSync(resolve(root, 'schema/llamero.schema.json'), 'utf8');
    expect(await run(runSchema)).toEqual({ code: 0, stdout: shipped, stderr: '' });
  });

  test('takes no arguments', async () => {
    expect(await run(runSchema, 'x')).toMatchObject({ code: 64, stdout: '' });
    expect(await run(runSchema, '--help')).toMatchObject({ code: 0, stderr: '' });
  });
});
