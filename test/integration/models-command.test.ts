/** `llamero models` beside a real router with two Ollamas and a process of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { runCli } from '../../src/cli/run.ts';
import type { LongRunningIo, Signal } from '../../src/cli/io.ts';
import { startFakeOllama } from '../fake-engine/fake-ollama.ts';
import type { FakeOllama } from '../fake-engine/fake-ollama.ts';
import { fakeCommand, withModels } from './fake-models.ts';
import { startRouter, until } from './start-router.ts';
import type { TestRouter } from './start-router.ts';

let one: FakeOllama;
let two: FakeOllama;
let router: TestRouter;
const key = 'sk-of-the-test';

beforeEach(async () => {
  one = await startFakeOllama({ models: ['llama3', 'qwen3:8b'] });
  two = await startFakeOllama({ models: ['llama3'] });
  const backends = { one: { url: one.url, engine: 'ollama' }, two: { url: two.url, engine: 'ollama' } };
  const reader = { name: 'reader', key: 'sk-reader', admin: 'none' };
  router = await startRouter(
    await withModels(
      {
        own: { aliases: ['mine'] },
        slow: { cmd: fakeCommand('slow', '--load-ms 60000'), unlisted: true },
      },
      { backends, apiKeys: [key, reader] },
    ),
  );
  await router.ready(['one', 'two']);
});
afterEach(async () => {
  await router[Symbol.asyncDispose]();
  await Promise.all([one, two].map((ollama) => ollama.close()));
});

interface Started {
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly interrupt: () => void;
  readonly ended: Promise<number>;
}

function start(args: readonly string[], more: Partial<LongRunningIo> = {}): Started {
  const written = { stdout: '', stderr: '' };
  const listeners = new Map<Signal, () => void>();
  const io: LongRunningIo = {
    stdout: (text) => void (written.stdout += text),
    stderr: (text) => void (written.stderr += text),
    stderrIsTty: false,
    env: { LLAMERO_API_KEY: key },
    cwd: tmpdir(),
    onSignal: (signal, listener) => {
      listeners.set(signal, listener);
      return () => listeners.delete(signal);
    },
    ...more,
  };
  return {
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    interrupt: () => listeners.get('SIGINT')?.(),
    ended: runCli(['models', ...args, '--url', router.url], io),
  };
}

async function models(line: string, more: Partial<LongRunningIo> = {}) {
  const run = start(line === '' ? [] : line.split(' '), more);
  const code = await run.ended;
  return { code, stdout: run.stdout(), stderr: run.stderr() };
}

const json = async (line: string): Promise<unknown> => JSON.parse((await models(`${line} --json`)).stdout);
const having = (name: string): string[] =>
  Object.entries({ one, two }).flatMap(([id, ollama]) => (ollama.models.has(name) ? [id] : []));
const changes = (): string[] =>
  [one, two].flatMap(({ asked }) => asked.filter(({ method }) => method !== 'GET').map(({ path }) => path));

describe('models list', () => {
  test('says of each model its state, where it is loaded, its size, context and aliases', async () => {
    two.loaded.add('llama3:latest');
    await until(async () => (await models('')).stdout.includes('two'));
    const { code, stdout, stderr } = await models('');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['NAME', 'STATE', 'LOADED ON', 'SIZE', 'CONTEXT', 'ALIASES'],
      ['llama3:latest', 'loaded', 'two', '0 MiB', '8192', 'llama3'],
      ['own', 'unloaded', '-', '-', '-', 'mine'],
      ['qwen3:8b', 'unloaded', '-', '0 MiB', '-', '-'],
      [''],
    ]);
    expect(await json('list')).toMatchObject([
      { name: 'llama3:latest', loaded_on: ['two'], backends: ['one', 'two'], size_bytes: 4000 },
      { name: 'own', size_bytes: null, context_tokens: null },
      { name: 'qwen3:8b', backends: ['one'] },
    ]);
  });

  test('takes a key that may not look at the router itself', async () => {
    expect(await models('', { env: { LLAMERO_API_KEY: 'sk-reader' } })).toMatchObject({
      code: 0,
      stderr: '',
    });
  });
});

test('models ps says what is in memory, where, and for how long', async () => {
  two.loaded.add('llama3:latest');
  await until(async () => (await models('ps')).stdout.includes('two'));
  expect((await models('ps')).stdout.split('\n')[1]).toMatch(
    /^llama3:latest +two +0 MiB +0 MiB +8192 +0\.0s$/,
  );
  expect(await json('ps')).toEqual([
    {
      name: 'llama3:latest',
      backend: 'two',
      size_bytes: 4000,
      vram_bytes: 3000,
      context_tokens: 8192,
      expires_at: '2026-01-02T03:09:05Z',
    },
  ]);
});

describe('models load and unload', () => {
  test('start and stop a process of the router, and tell before what would happen', async () => {
    expect(await models('load own --plan')).toEqual({
      code: 0,
      stdout: 'own would be loaded, into 64 MiB of memory\n',
      stderr: '',
    });
    expect(await json('load own --plan')).toMatchObject({ plan: 'load', would: 'load' });
    expect(await models('load mine')).toEqual({
      code: 0,
      stdout: 'mine is loaded\n',
      stderr: 'Loading mine\n',
    });
    expect((await models('load own --plan')).stdout).toBe('own is loaded already\n');
    expect((await models('ps')).stdout).toMatch(/^own +own /m);
    expect((await models('unload --plan')).stdout).toMatch(/^own +ready +unload +0$/m);
    expect((await models('unload')).stdout).toBe('All models are unloaded\n');
    expect((await models('unload own --plan')).stdout).toMatch(/^own +stopped +nothing +0$/m);
    expect(await json('unload own')).toEqual({ status: 'success' });
  });

  test('go on in the router when nobody waits for them any more', async () => {
    const loading = async () => {
      const { backends } = await router.status();
      return backends.find(({ id }) => id === 'slow')?.state === 'starting';
    };
    const run = start(['load', 'slow']);
    await until(loading);
    run.interrupt();
    expect(await run.ended).toBe(130);
    expect([run.stdout(), run.stderr()]).toEqual([
      '',
      'Loading slow\nllamero models: no longer waits, but the router goes on\n',
    ]);
    expect(await loading()).toBe(true);
  });

  test('say which models there are not', async () => {
    expect(await models('load nope')).toMatchObject({
      code: 69,
      stdout: '',
      stderr: expect.stringMatching(/llamero models: There is no model 'nope' of this router\n$/) as string,
    });
  });
});

describe('models pull', () => {
  test('shows how far it is and who has the model then', async () => {
    const { code, stdout, stderr } = await models('pull gemma3');
    expect([code, stdout]).toEqual([0, 'gemma3 is on one, two\n']);
    expect(stderr.split('\n')).toEqual([
      'pulling manifest',
      'pulling d: 0 % of 0 MiB',
      expect.stringMatching(/^pulling d: \d+ % of 0 MiB$/),
      ...Array<unknown>(stderr.split('\n').length - 5).fill(expect.anything()),
      'writing manifest',
      '',
    ]);
    expect(having('gemma3:latest')).toEqual(['one', 'two']);
  });

  test('draws bars on a terminal', async () => {
    const { stderr } = await models('pull gemma3', { stderrIsTty: true });
    expect(stderr).toMatch(/pulling d +█{20} 100 %/);
  });

  test('is done by the backends that are named alone', async () => {
    expect((await models('pull gemma3 --backends two')).stdout).toBe('gemma3 is on two\n');
    expect(having('gemma3:latest')).toEqual(['two']);
    expect(await models('pull gemma3 --backends three')).toMatchObject({
      code: 69,
      stderr: "llamero models: There is no backend 'three'\n",
    });
  });

  test('with --plan tells what each would do, changes nothing, and ends with 0 even where one fails', async () => {
    await two.close();
    const { code, stdout } = await models('pull llama3 --plan');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^one +update +- +[0-9a-f]{12} +no +it has the model/m);
    expect(stdout).toMatch(/^two +fail +- +- +- +it does not say what it has/m);
    expect(await json('pull llama3 --plan')).toMatchObject({ plan: 'pull', backends: [{}, {}] });
    expect(changes()).toEqual([]);
  });

  test('with --json prints a line for each step and nothing else', async () => {
    const { stdout, stderr } = await models('pull gemma3 --json');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines[0]).toMatchObject({ status: 'pulling manifest' });
    expect(lines.at(-1)).toEqual({ status: 'success', backends: ['one', 'two'] });
    expect(stderr).toBe('');
  });

  test('says who failed and who did not', async () => {
    two.fail('/api/pull', { message: 'disk full' });
    const { code, stdout, stderr } = await models('pull gemma3');
    expect([code, stdout]).toEqual([69, '']);
    expect(stderr).toMatch(/llamero models: backend two: disk full \(succeeded: one\)\n$/);
  });

  test('ends at Ctrl-C, at the Ollamas too', async () => {
    one.hold('/api/pull');
    two.hold('/api/pull');
    const run = start(['pull', 'gemma3']);
    await until(() => run.stderr().includes('writing manifest'));
    run.interrupt();
    expect(await run.ended).toBe(130);
    expect(run.stderr()).toMatch(/llamero models: stopped\n$/);
    await until(() => one.left.length + two.left.length === 2);
    expect(having('gemma3:latest')).toEqual([]);
  });
});

test('models push, copy and delete are done where the model is', async () => {
  expect((await models('push qwen3:8b')).stdout).toBe('qwen3:8b was pushed by one\n');
  expect((await models('copy llama3 mine --backends two')).stdout).toBe('llama3 is also mine\n');
  expect(having('mine:latest')).toEqual(['two']);
  expect((await models('delete llama3 --plan')).stdout).toMatch(/^two +delete +0 MiB +[0-9a-f]{12} +no$/m);
  expect(await json('delete llama3')).toEqual({ status: 'success' });
  expect(having('llama3:latest')).toEqual([]);
  expect(await models('delete llama3')).toMatchObject({
    code: 69,
    stderr: "llamero models: model 'llama3:latest' not found\n",
  });
});

describe('models create', () => {
  test('sends the files that are not there yet, and says what the model is made of', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'llamero-create-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'weights.gguf'), Buffer.alloc(3 * 2 ** 20, 'w'));
    const line = 'create mine --file weights.gguf --system Short --parameter num_ctx=8192';
    const plan = await models(`${line} --plan`, { cwd: folder });
    expect(plan.stderr).toContain('weights.gguf would be sent first, 3 MiB\n');
    expect(plan.stdout).toMatch(/^one +create +/m);
    expect([one.blobs.size, changes()]).toEqual([
      0,
      ['HEAD', 'HEAD'].map(() => expect.stringMatching(/^\/api\/blobs\//) as string),
    ]);
    const { code, stdout, stderr } = await models(line, { cwd: folder });
    expect([code, stdout]).toEqual([0, 'mine was created on one, two\n']);
    expect(stderr).toContain('sending weights.gguf: 100 % of 3 MiB\n');
    const [digest = ''] = [...one.blobs.keys()];
    expect(two.asked.find(({ path }) => path === '/api/create')?.body).toMatchObject({
      model: 'mine',
      system: 'Short',
      parameters: { num_ctx: 8192 },
      files: { 'weights.gguf': digest },
    });
    expect((await models(`${line} --backends one`, { cwd: folder })).stderr).not.toContain('sending');
    const other = await models(`${line} --backends three`, { cwd: folder });
    expect([other.code, other.stderr]).toEqual([
      69,
      expect.stringMatching(/\nllamero models: There is no backend 'three'\n$/) as string,
    ]);
  });

  test('says which file it cannot read, before it asks anybody', async () => {
    expect(await models('create mine --file gone.gguf')).toMatchObject({
      code: 66,
      stdout: '',
      stderr: expect.stringMatching(/^llamero models: cannot read gone\.gguf: ENOENT/) as string,
    });
    expect(changes()).toEqual([]);
  });
});

test.each([
  ['no key', {}, 'wants an API key'],
  ['a key that may change nothing', { LLAMERO_API_KEY: 'sk-reader' }, "takes a key with admin 'full'"],
])('with %s nothing is changed, and it says so', async (_what, env, message) => {
  const { code, stderr } = await models('delete llama3', { env });
  expect(code).toBe(69);
  expect(stderr).toContain(message);
  expect(having('llama3:latest')).toEqual(['one', 'two']);
});

test('a wrong command line ends with 64 and says what is wrong', async () => {
  expect(await models('pull')).toMatchObject({
    code: 64,
    stdout: '',
    stderr: expect.stringMatching(/^llamero models: pull takes one name\nUsage: llamero models/) as string,
  });
});
