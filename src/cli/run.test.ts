import { describe, expect, test } from 'vitest';
import type { LongRunningIo } from './io.ts';
import { runCli } from './run.ts';

async function run(...args: string[]) {
  const written = { stdout: '', stderr: '' };
  const io: LongRunningIo = {
    stdout: (text) => (written.stdout += text),
    stderr: (text) => (written.stderr += text),
    stderrIsTty: false,
    env: {},
    cwd: import.meta.dirname,
    onSignal: () => () => {},
  };
  return { code: await runCli(args, io), ...written };
}

describe('runCli', () => {
  test.each(['--help', '-h', 'help'])(
    '%s lists every command with its exit statuses on stdout',
    async (arg) => {
      const { code, stdout, stderr } = await run(arg);
      expect([code, stderr]).toEqual([0, '']);
      for (const name of ['serve', 'demo', 'top', 'models', 'keys', 'check', 'doctor', 'import', 'schema'])
        expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
      expect(stdout).toMatch(
        /0 done, 1 doctor found errors, 64 usage, 66 .*, 69 .*, 70 internal, 78 configuration/,
      );
    },
  );

  test.each(['serve', 'demo', 'top', 'models', 'gpu-monitor', 'keys', 'check', 'doctor', 'import', 'schema'])(
    'help %s is what the command says of itself',
    async (name) => {
      const { code, stdout, stderr } = await run('help', name);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(new RegExp(`^Usage: llamero ${name}\\b`));
      expect(await run(name, '--help')).toEqual({ code, stdout, stderr });
    },
  );

  test('help with an unknown command names it', async () => {
    expect(await run('help', 'frob')).toMatchObject({
      code: 64,
      stderr: expect.stringContaining("unknown command 'frob'"),
    });
  });

  test.each(['--version', '-V', 'version'])('%s says which one it is', async (arg) => {
    expect(await run(arg)).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^llamero \d+\.\d+\.\d+\n$/),
      stderr: '',
    });
  });

  test('an unknown command is named, with those there are', async () => {
    const { code, stdout, stderr } = await run('srve');
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(/^llamero: unknown command 'srve'\n[\s\S]*serve/);
  });

  test('a name of every object is no command', async () => {
    for (const name of ['constructor', 'toString', '__proto__']) {
      expect((await run(name)).code).toBe(64);
    }
  });
});
