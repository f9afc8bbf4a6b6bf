/** The program from its start to its end: signals, exit statuses, and what it says without a configuration. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createFakeEngine } from '../fake-engine/fake-engine.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from './client.ts';
import { connectRaw } from './raw-client.ts';
import { configText, startProgram, type Program } from './start-program.ts';
import { until } from './start-router.ts';

const slow = { id: 'tiny', contextTokens: 4096, promptTokensPerS: 50_000, tokensPerS: 20 };

async function serving(more: object = {}, model = slow) {
  const engine = await startFakeEngine({ slots: 1, models: [model] });
  const program = await startProgram(['serve', '--config', 'router.yaml'], {
    'router.yaml': configText({ backends: { one: { url: engine.url } }, ...more }),
  });
  const url = await program.url();
  await until(async () => {
    const { backends } = (await ask(`${url}/health`).answer).json() as { backends: { live: number } };
    return backends.live === 1;
  });
  return {
    engine,
    program,
    url,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await engine.close();
    },
  };
}

/** The last thing it says is there, too, and nothing that Node itself says when something is wrong. */
function expectCleanEnd(program: Program): void {
  expect(program.stderr()).not.toMatch(/Warning:|Error:|at file:/);
}

describe('SIGTERM', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '(or %s) lets running and waiting requests finish, takes no new ones, and ends with status 0',
    async (signal) => {
      await using setup = await serving();
      const { program, url } = setup;
      const running = chat(url, { stream: true, max_tokens: 30 });
      await running.head;
      const waiting = chat(url, { max_tokens: 3 });
      await until(async () => (await ask(`${url}/health`).answer).json()['queued'] === 1);
      program.signal(signal);
      await until(async () => (await ask(`${url}/health`).answer).status === 503);
      expect((await ask(`${url}/health`).answer).json()).toMatchObject({ status: 'draining' });
      const refused = await chat(url).answer;
      expect([refused.status, refused.json()]).toMatchObject([503, { error: { code: 'shutting_down' } }]);
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      expect(refused.headers['connection']).toBe('close');
      for (const path of ['/index.html', '/v1/embeddings']) {
        const other = await ask(url + path, path === '/index.html' ? {} : { body: { input: 'x' } }).answer;
        expect([path, other.status]).toEqual([path, 503]);
      }
      const answers = await Promise.all([running.answer, waiting.answer]);
      expect(answers.map(({ status, complete }) => [status, complete])).toEqual([
        [200, true],
        [200, true],
      ]);
      expect(await program.ended()).toBe(0);
      const log = await program.log();
      expect(log.filter(({ msg }) => msg === 'request').length).toBeGreaterThanOrEqual(4);
      expectCleanEnd(program);
    },
  );

  test('cuts no answer that its client has not read yet', async () => {
    const list = JSON.stringify({
      object: 'list',
      data: Array.from({ length: 7000 }, (_, index) => ({ id: `m${index}`, about: 'a'.repeat(1000) })),
    });
    const engine = createHttpServer((_request, response) => response.end(list)).listen(0, '127.0.0.1');
    await once(engine, 'listening');
    const url = `http://127.0.0.1:${(engine.address() as AddressInfo).port}`;
    await using program = await startProgram(['serve', '-c', 'r.yaml'], {
      'r.yaml': configText({ backends: { one: { url, engine: 'openai' } } }),
    });
    const routerUrl = await program.url();
    await until(async () => (await ask(`${routerUrl}/v1/models`).answer).body.length > 7_000_000);
    using client = await connectRaw(routerUrl);
    // More than the system keeps for a connection.
    client.socket.write('GET /v1/models HTTP/1.1\r\nHost: r\r\n\r\n'.repeat(3));
    await client.receives(/\r\n\r\n{/);
    client.socket.pause();
    program.signal('SIGTERM');
    await until(async () => (await ask(`${routerUrl}/health`).answer.catch(() => undefined))?.status !== 200);
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
    client.socket.resume();
    const text = await client.all();
    expect(text.match(/"object":"list"/g)).toHaveLength(3);
    expect(text.endsWith('}}')).toBe(true);
    expect(await program.ended()).toBe(0);
    engine.close();
    engine.closeAllConnections();
  });

  test('waits no longer than drain.timeout', async () => {
    await using setup = await serving({ drain: { timeout: '500ms' } });
    const running = chat(setup.url, { stream: true, max_tokens: 4000 });
    await running.head;
    setup.program.signal('SIGTERM');
    const answer = await running.answer;
    expect(answer.complete).toBe(false);
    expect(answer.body.toString()).toContain('shutting_down');
    expect(await setup.program.ended()).toBe(0);
    await until(() => setup.engine.engine.state().models[0]?.slotsBusy === 0);
  });

  test('still takes requests during drain.lameDuck, while /health already says 503', async () => {
    await using setup = await serving({ drain: { lameDuck: '1s' } });
    setup.program.signal('SIGTERM');
    await until(async () => (await ask(`${setup.url}/health`).answer).status === 503);
    expect((await chat(setup.url, { max_tokens: 1 }).answer).status).toBe(200);
    expect(await setup.program.ended()).toBe(0);
  });

  test('a second time ends at once', async () => {
    await using setup = await serving();
    const running = chat(setup.url, { stream: true, max_tokens: 4000 });
    await running.head;
    setup.program.signal('SIGTERM');
    await until(() => setup.program.stderr().includes('draining'));
    const startedMs = performance.now();
    setup.program.signal('SIGTERM');
    expect(await setup.program.ended()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(3000);
    expect((await running.answer).complete).toBe(false);
  });

  test('ends a router without requests at once, idle connections or not', async () => {
    await using setup = await serving();
    using client = await connectRaw(setup.url);
    client.socket.write('GET /health HTTP/1.1\r\nHost: r\r\n\r\n');
    await client.receives(/"status":"ok"/);
    const startedMs = performance.now();
    setup.program.signal('SIGTERM');
    expect(await setup.program.ended()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(3000);
  });
});

describe('the exit status', () => {
  const run = async (args: readonly string[], files: Readonly<Record<string, string>> = {}) => {
    await using program = await startProgram(args, files);
    return { status: await program.ended(), stdout: program.stdout(), stderr: program.stderr() };
  };

  test('is 0 for --version and --help, which go to stdout', async () => {
    expect(await run(['--version'])).toEqual({ status: 0, stdout: 'llamero 0.1.0\n', stderr: '' });
    for (const args of [['--help'], ['help'], ['serve', '--help'], ['check', '--help'], ['demo', '--help']]) {
      const { status, stdout, stderr } = await run(args);
      expect([args, status, stderr]).toEqual([args, 0, '']);
      expect(stdout).toMatch(/^(Usage: llamero|llamero: )/);
    }
  });

  test('is 64 for a command line that makes no sense, and says how it is meant', async () => {
    for (const args of [[], ['fly'], ['serve', '--fast'], ['serve', 'router.yaml'], ['serve', '--config']]) {
      const { status, stdout, stderr } = await run(args);
      expect([args, status, stdout]).toEqual([args, 64, '']);
      expect(stderr).toMatch(/Usage: llamero/);
    }
  });

  test('is 66 for a file that is not there', async () => {
    expect(await run(['serve', '--config', 'absent.yaml'])).toMatchObject({
      status: 66,
      stderr: 'absent.yaml cannot be read: no such file\n',
    });
  });

  test('is 78 for a file with errors, each with its place', async () => {
    const text = 'backends:\n  one: { url: "http://127.0.0.1:1", slot: 2 }\nlimits: { body: many }\n';
    const { status, stderr } = await run(['serve', '--config', 'bad.yaml'], { 'bad.yaml': text });
    expect(status).toBe(78);
    expect(stderr).toMatch(/^bad\.yaml:2:\d+ backends\.one\.slot: .*did you mean .*slots/m);
    expect(stderr).toMatch(/^bad\.yaml:3:\d+ limits\.body: /m);
    expect(stderr).not.toMatch(/at file:/);
  });

  test('is 78 for a bad --listen', async () => {
    const { status, stderr } = await run(['serve', '--config', 'r.yaml', '--listen', 'nonsense:x'], {
      'r.yaml': configText({}),
    });
    expect([status, stderr]).toEqual([78, expect.stringContaining('nonsense:x')]);
  });

  test('is 69 for a port that is taken, with its name', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => {
      taken.once('listening', resolve);
    });
    const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    const { status, stderr } = await run(['serve', '--config', 'r.yaml', '--listen', address], {
      'r.yaml': configText({}),
    });
    taken.close();
    expect(status).toBe(69);
    expect(stderr).toContain(`llamero: cannot listen on ${address}: another program has the port`);
  });
});

describe('without --config', () => {
  test('llamero.yaml of the folder is taken', async () => {
    await using program = await startProgram(['serve'], { 'llamero.yaml': configText({}) });
    expect((await ask(`${await program.url()}/health`).answer).status).toBe(200);
  });

  test('--listen replaces the addresses of the file, also after a reload', async () => {
    await using program = await startProgram(['serve', '--listen', '127.0.0.1:0', '-l', '127.0.0.1:0'], {
      'llamero.yaml': configText({ listen: '127.0.0.1:1' }),
    });
    const url = await program.url();
    const listen = async () => ((await ask(`${url}/api/status`).answer).json()['listen'] as string[]).length;
    expect(await listen()).toBe(2);
    program.signal('SIGHUP');
    await until(() => program.stderr().includes('configuration reloaded'));
    expect(await listen()).toBe(2);
  });

  test('and without a file, what runs on usual ports is found, or it says what to do', async (context) => {
    const ports = [8080, 11_434, 8000, 1234, 30_000];
    const busy = await Promise.all(ports.map(isTaken));
    context.skip(busy.some(Boolean), 'a usual port of an engine is taken on this machine');
    await using nothing = await startProgram(['serve', '--listen', '127.0.0.1:0']);
    expect(await nothing.ended()).toBe(69);
    for (const port of ports) expect(nothing.stderr()).toContain(`http://127.0.0.1:${port}`);
    expect(nothing.stderr()).toMatch(/llamero\.yaml[\s\S]*backends:[\s\S]*llamero demo/);

    const engine = await createFakeEngine({ port: 8080 });
    await using program = await startProgram(['serve', '--listen', '127.0.0.1:0']);
    const url = await program.url();
    expect(program.stderr()).toContain("Found llama.cpp at http://127.0.0.1:8080 as 'llamacpp-8080': tiny");
    await until(async () => (await ask(`${url}/v1/models`).answer).body.includes('tiny'));
    expect((await chat(url, { max_tokens: 1 }).answer).status).toBe(200);
    program.signal('SIGHUP');
    await until(() => program.stderr().includes('there is no configuration file to read again'));
    expect((await chat(url, { max_tokens: 1 }).answer).status).toBe(200);
    await engine.close();
  });
});

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
