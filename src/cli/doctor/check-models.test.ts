import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { checkModels } from './check-models.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'llamero-commands-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  writeFileSync(join(cwd, 'server'), '#!/bin/sh\n');
  chmodSync(join(cwd, 'server'), 0o755);
  writeFileSync(join(cwd, 'plain'), 'no program');
  writeFileSync(join(cwd, 'good.gguf'), 'GGUF and more');
  writeFileSync(join(cwd, 'page.gguf'), '<html>not found');
});

const check = (cmd: string, more: object = {}, PATH = cwd) =>
  checkModels([{ id: 'm', cmd, cmdStop: '', env: {}, proxy: 'http://localhost:5800', port: 5800, ...more }], {
    env: { PATH },
    cwd,
    platform: 'linux',
  });

describe('checkModels', () => {
  test.each(['server -m good.gguf', './server --model=good.gguf', 'docker run x -m inside.gguf'])(
    'finds nothing wrong with %j',
    async (cmd) => {
      writeFileSync(join(cwd, 'docker'), '', { mode: 0o755 });
      expect(await check(cmd)).toMatchObject([{ level: 'ok', subject: 'm' }]);
    },
  );

  test.each([
    ['', 'its command cannot be run: Empty command'],
    ['absent -m good.gguf', 'absent: no such program on PATH'],
    ['./absent', './absent: no such file'],
    ['plain', 'plain: it is not executable (chmod +x)'],
    ['server -m none.gguf', '-m none.gguf: no such file'],
    ['server -m page.gguf', '-m page.gguf: it is no GGUF file'],
  ])('finds the fault of %j', async (cmd, saw) => {
    expect(await check(cmd)).toEqual([expect.objectContaining({ level: 'error', saw })]);
  });

  test('looks for the program on the PATH of the model', async () => {
    expect(await check('server', {}, '')).toMatchObject([{ level: 'error' }]);
    expect(await check('server', { env: { PATH: cwd } }, '')).toMatchObject([{ level: 'ok' }]);
  });

  test('warns of a port that only its proxy names, unless that is elsewhere', async () => {
    expect(await check('server', { port: undefined })).toMatchObject([
      { level: 'warning', saw: expect.stringContaining('does not name the port of http://localhost:5800') },
    ]);
    expect(await check('server', { port: undefined, proxy: 'http://192.0.2.7:80' })).toMatchObject([
      { level: 'ok' },
    ]);
  });

  test('warns of a stop command that cannot be run', async () => {
    expect(await check('server', { cmdStop: 'absent ${PID}' })).toMatchObject([
      { level: 'warning', saw: expect.stringContaining('so it is stopped by SIGTERM') },
    ]);
  });
});
