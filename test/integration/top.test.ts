/** `llamero top` as a program of its own beside a real router: as a snapshot, and in a real terminal. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startFakeEngine } from '../fake-engine/start.ts';
import { selfSigned } from '../fixtures/self-signed.ts';
import { ask, chat } from './client.ts';
import { withModels } from './fake-models.ts';
import { configText, startProgram } from './start-program.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

const main = resolve(import.meta.dirname, '../../src/main.ts');
const key = 'sk-of-the-test';
const escape = '\u001b';

async function top(args: readonly string[], env: Readonly<Record<string, string>> = {}, files = {}) {
  await using program = await startProgram(['top', ...args], files, { LLAMERO_API_KEY: '', ...env });
  const code = await program.ended();
  return { code, stdout: program.stdout(), stderr: program.stderr() };
}

describe('top --once', () => {
  test('prints backends, models with their processes, requests and the log, and ends', async () => {
    const engine = await startFakeEngine({
      slots: 1,
      models: [{ id: 'tiny', contextTokens: 4096, promptTokensPerS: 50_000, tokensPerS: 20 }],
    });
    const config = await withModels({ own: { ttl: 300 } }, { backends: { far: { url: engine.url } } });
    await using router = await startRouter(config);
    await router.ready(['far']);
    expect((await ask(`${router.url}/api/models/load/own`, { method: 'POST' }).answer).status).toBe(200);
    const running = chat(router.url, { stream: true, max_tokens: 400 });
    await running.head;
    const waiting = chat(router.url, { max_tokens: 1 });
    await until(async () => (await router.status()).queue.depth === 1);
    const { code, stdout, stderr } = await top(['--url', router.url]);
    expect([code, stderr]).toEqual([0, '']);
    const pid = String(router.logLines.find(({ msg }) => msg === 'Model is loaded')?.['pid']);
    expect(stdout).toMatch(/^llamero test {2}127\.0\.0\.1:\d+ {2}up \d/);
    expect(stdout).toMatch(/^slots 1\/\d+ {2}queue 1 /m);
    expect(stdout).toMatch(/^ {2}far +live +1\/1 /m);
    expect(stdout).toMatch(new RegExp(`^ {2}own +live +0/\\d+ +5m .* ${pid} +here$`, 'm'));
    expect(stdout).toMatch(/^ {2}tiny +loaded +1 +1 +far$/m);
    expect(stdout).toMatch(/^ {2}tiny +queued #1 /m);
    expect(stdout).toMatch(/^ {2}tiny +(?:waiting|streaming) .* far /m);
    expect(stdout).toMatch(/^ {2}\d\d:\d\d:\d\d info {2}Model is loaded model=own /m);
    expect(stdout).not.toContain('\u001b');
    running.leave();
    waiting.leave();
    await engine.close();
  });

  test('takes the address from the configuration of its folder', async () => {
    await using router = await startRouter({});
    const files = { 'llamero.yaml': `listen: ${router.url.slice('http://'.length)}` };
    const { code, stdout } = await top(['--once'], {}, files);
    expect([code, stdout.split('\n')[0]]).toMatchObject([0, expect.stringContaining('llamero test')]);
  });

  test.each([
    ['the usual variable', { LLAMERO_API_KEY: key }, []],
    ['one that is named', { MY_KEY: key }, ['--key-env', 'MY_KEY']],
  ])('takes a key from %s', async (_what, env, args) => {
    await using router = await startRouter({ apiKeys: [key] });
    expect(await top(['--once', '--url', router.url, ...args], env)).toMatchObject({ code: 0, stderr: '' });
  });

  test.each([
    ['no key', {}, 'wants an API key'],
    ['a wrong key', { LLAMERO_API_KEY: 'sk-other' }, 'refuses the API key'],
  ])('with %s ends with 69 and says so', async (_what, env, message) => {
    await using router = await startRouter({ apiKeys: [key] });
    const { code, stdout, stderr } = await top(['--once', '--url', router.url], env);
    expect([code, stdout]).toEqual([69, '']);
    expect(stderr).toMatch(/^llamero top: [^\n]+\n$/);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('sk-');
  });

  test('watches a router with HTTPS, if it is told of a certificate that nobody knows', async () => {
    const { cert, key: privateKey } = selfSigned();
    const files = { 'cert.pem': cert, 'key.pem': privateKey };
    const text = configText({ tls: { cert: 'cert.pem', key: 'key.pem' } });
    await using program = await startProgram(['serve', '--config', 'a.yaml'], { ...files, 'a.yaml': text });
    const find = () => /listening on (https:[^"\s]+)/.exec(program.stderr())?.[1];
    await until(() => find() !== undefined);
    const args = ['--once', '--url', find() ?? ''];
    const known = await top(args, { NODE_EXTRA_CA_CERTS: `${program.folder}/cert.pem` });
    expect(known).toMatchObject({ code: 0, stderr: '' });
    const unknown = await top(args);
    expect(unknown.code).toBe(69);
    expect(unknown.stderr).toMatch(/^llamero top: No answer from https:\S+ \(\w*SELF_SIGNED\w*\)\n$/);
  });

  test('ends with 69 and says so when nobody answers', async () => {
    const router = await startRouter({});
    await router[Symbol.asyncDispose]();
    const { code, stdout, stderr } = await top(['--once', '--url', router.url]);
    expect([code, stdout]).toEqual([69, '']);
    expect(stderr).toBe(`llamero top: No answer from ${router.url}/ (ECONNREFUSED)\n`);
  });
});

/** Runs it in a pseudo-terminal of `script`, between two readings of the terminal's settings. */
function startInTerminal(router: TestRouter) {
  const live = `echo "pid=$$"; exec ${process.execPath} ${main} top --interval 100ms --url ${router.url}`;
  const command = `echo "mode=$(stty -g)"; sh -c '${live}'; echo "code=$?"; echo "mode=$(stty -g)"`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, LLAMERO_API_KEY: '', NO_COLOR: '' },
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const closed = once(child, 'close');
  return {
    text: () => text,
    shows: (part: string) => until(() => text.includes(part)),
    press: (keys: string) => void child.stdin.write(keys),
    signal: (signal: NodeJS.Signals) => process.kill(Number(/pid=(\d+)/.exec(text)?.[1]), signal),
    async ended() {
      await closed;
      const [before, after] = [...text.matchAll(/mode=(\S+)/g)].map(([, mode]) => mode);
      return { code: /code=(\d+)/.exec(text)?.[1], sameMode: before !== undefined && before === after };
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await closed;
    },
  };
}

/** It took the alternate screen and left it, and the last that the terminal was told is that. */
function expectOwnScreenOnly(text: string): void {
  expect(text).toContain(`${escape}[?1049h`);
  const lastWords = text.slice(text.lastIndexOf(`${escape}[?25h`)).split(escape);
  expect(lastWords).toEqual(['', '[?25h', expect.stringMatching(/^\[\?1049l/)]);
}

const hasScript =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;

describe('top in a terminal', () => {
  test('shows the router, unloads a model at a key, and gives the terminal back', async (context) => {
    context.skip(!hasScript, 'needs the script program of util-linux');
    await using router = await startRouter(await withModels({ own: {} }));
    expect((await ask(`${router.url}/api/models/load/own`, { method: 'POST' }).answer).status).toBe(200);
    await using terminal = startInTerminal(router);
    await terminal.shows(`${escape}[32mlive`);
    terminal.press('ju');
    await terminal.shows('unload own: ok');
    const { backends } = await router.status();
    expect(backends.find(({ id }) => id === 'own')).toMatchObject({
      state: 'stopped',
      process: { pid: null },
    });
    terminal.press('q');
    expect(await terminal.ended()).toEqual({ code: '0', sameMode: true });
    expectOwnScreenOnly(terminal.text());
  });

  test.for(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('gives it back at %s', async (signal, context) => {
    context.skip(!hasScript, 'needs the script program of util-linux');
    await using router = await startRouter({});
    await using terminal = startInTerminal(router);
    await terminal.shows('q quit');
    terminal.signal(signal);
    expect(await terminal.ended()).toEqual({ code: '0', sameMode: true });
    expectOwnScreenOnly(terminal.text());
  });
});
