/** A changed configuration file under a running program. */
import { describe, expect, test } from 'vitest';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from './client.ts';
import { connectRaw } from './raw-client.ts';
import { configText, startProgram } from './start-program.ts';
import { startRouter, until } from './start-router.ts';

const slow = { id: 'tiny', contextTokens: 4096, promptTokensPerS: 50_000, tokensPerS: 20 };

async function setUp(config: (engines: { a: string; b: string }) => object, args: readonly string[] = []) {
  const [a, b] = await Promise.all([
    startFakeEngine({ models: [slow] }),
    startFakeEngine({ models: [slow] }),
  ]);
  const urls = { a: a.url, b: b.url };
  const program = await startProgram(['serve', '--config', 'router.yaml', ...args], {
    'router.yaml': configText(config(urls)),
  });
  const url = await program.url();
  const status = async (headers: Record<string, string> = {}) =>
    (await ask(`${url}/api/status`, { headers }).answer).json() as {
      listen: string[];
      backends: { id: string; state: string; slots: { own: number } }[];
      config: { last_reload: { ok: boolean; problems: string[] } | null };
    };
  return {
    a,
    b,
    program,
    url,
    status,
    /** Replaces the file and sends SIGHUP; waits until it was read. */
    async reload(text: object | string) {
      const count = () => (program.stderr().match(/configuration (not )?reloaded/g) ?? []).length;
      const before = count();
      program.write('router.yaml', typeof text === 'string' ? text : configText(text));
      program.signal('SIGHUP');
      await until(() => count() > before);
    },
    live: (id: string) =>
      until(async () => (await status()).backends.find((backend) => backend.id === id)?.state === 'live'),
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await Promise.all([a.close(), b.close()]);
    },
  };
}

describe('SIGHUP', () => {
  test('leaves streams of unchanged and removed backends alone, and uses added ones', async () => {
    await using setup = await setUp(({ a }) => ({ backends: { a: { url: a } } }));
    await setup.live('a');
    const kept = chat(setup.url, { stream: true, max_tokens: 40 });
    await kept.head;
    const connections = (await setup.a.report()).connections;
    await setup.reload({ backends: { a: { url: setup.a.url }, b: { url: setup.b.url } } });
    await setup.live('b');
    const homes = await Promise.all(
      Array.from({ length: 6 }, async (_, index) => {
        const messages = [{ role: 'user', content: String(index) }];
        return (await chat(setup.url, { max_tokens: 1, messages }).answer).headers['x-llamero-backend'];
      }),
    );
    expect(homes).toContain('b');
    expect(connections).toBeGreaterThan(0);
    await setup.reload({ backends: { b: { url: setup.b.url } } });
    expect((await setup.status()).backends.map(({ id }) => id)).toEqual(['b']);
    expect((await chat(setup.url, { max_tokens: 1 }).answer).headers['x-llamero-backend']).toBe('b');
    const answer = await kept.answer;
    expect([answer.status, answer.complete, answer.headers['x-llamero-backend']]).toEqual([200, true, 'a']);
    expect(answer.body.toString()).toContain('[DONE]');
  });

  test('a backend that moved finishes its streams at the old place', async () => {
    await using setup = await setUp(({ a }) => ({ backends: { one: { url: a } } }));
    await setup.live('one');
    const kept = chat(setup.url, { stream: true, max_tokens: 30 });
    await kept.head;
    await setup.reload({ backends: { one: { url: setup.b.url } } });
    await setup.live('one');
    expect((await chat(setup.url, { max_tokens: 1 }).answer).status).toBe(200);
    expect((await setup.b.report()).requests.some(({ method }) => method === 'POST')).toBe(true);
    expect((await kept.answer).complete).toBe(true);
    await until(async () => (await setup.status()).backends[0]?.slots.own === 0);
  });

  test.each([
    ['good', {}],
    ['refused', { queueMax: 1 }],
  ])('with a %s file tells what is ignored in it', async (_name, more) => {
    await using setup = await setUp(({ a }) => ({ backends: { a: { url: a } } }));
    await setup.reload({ backends: { a: { url: setup.a.url } }, odd: 1, ...more });
    const line = (await setup.program.log()).find(({ msg }) => msg === 'configuration has warnings');
    expect(JSON.stringify(line?.['warnings'])).toMatch(/odd: unknown key 'odd' is ignored/);
  });

  test.each([
    ['broken YAML', 'backends: [', /router\.yaml:1:\d+/],
    ['an unknown key', '{"backendz": {}}', /backendz.*did you mean.*backends/],
    ['an address that is in use', undefined, /another program has the port/],
  ])('with %s keeps the old configuration, and says why', async (_name, text, reason) => {
    await using setup = await setUp(({ a }) => ({ backends: { a: { url: a } } }));
    await setup.live('a');
    await setup.reload(text ?? { listen: ['127.0.0.1:0', new URL(setup.b.url).host], backends: {} });
    const { config, backends } = await setup.status();
    expect(config.last_reload).toMatchObject({ ok: false });
    expect(config.last_reload?.problems.join('\n')).toMatch(reason);
    expect(backends.map(({ id }) => id)).toEqual(['a']);
    expect((await chat(setup.url, { max_tokens: 1 }).answer).status).toBe(200);
    const log = await setup.program.log();
    const line = log.find(({ msg }) => String(msg).startsWith('configuration not reloaded'));
    expect(JSON.stringify(line)).toMatch(reason);
    await setup.reload({ backends: { a: { url: setup.a.url } } });
    expect((await setup.status()).config.last_reload).toMatchObject({ ok: true, problems: [] });
  });

  test('changes keys at once', async () => {
    await using setup = await setUp(({ a }) => ({ apiKeys: ['old-key'], backends: { a: { url: a } } }));
    const with_ = (key: string) =>
      ask(`${setup.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } }).answer;
    expect((await with_('old-key')).status).toBe(200);
    await setup.reload({ apiKeys: ['new-key'], backends: { a: { url: setup.a.url } } });
    expect([(await with_('old-key')).status, (await with_('new-key')).status]).toEqual([401, 200]);
  });

  test('opens new addresses and closes the old, whose running requests finish', async () => {
    await using setup = await setUp(({ a }) => ({ backends: { a: { url: a } } }));
    await setup.live('a');
    const kept = chat(setup.url, { stream: true, max_tokens: 30 });
    await kept.head;
    using idle = await connectRaw(setup.url);
    idle.socket.write('GET /health HTTP/1.1\r\nHost: r\r\n\r\n');
    await idle.receives(/"ok"/);
    using busy = await connectRaw(setup.url);
    const body = JSON.stringify({ model: 'tiny', messages: [], prompt: 'x', max_tokens: 20 });
    busy.socket.write(
      `POST /v1/completions HTTP/1.1\r\nHost: r\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await until(async () => ((await setup.status()).backends[0]?.slots.own ?? 0) === 2);
    await setup.reload({ listen: 'localhost:0', backends: { a: { url: setup.a.url } } });
    const next = /listening on (http:\/\/\S+:\d+)"/g;
    await until(() => [...setup.program.stderr().matchAll(next)].length >= 2);
    const url = [...setup.program.stderr().matchAll(next)].at(-1)?.[1] ?? '';
    expect((await chat(url, { max_tokens: 1 }).answer).status).toBe(200);
    await expect(ask(setup.url).head).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await idle.all();
    expect(await busy.all()).toMatch(/^HTTP\/1\.1 200 OK/);
    expect((await kept.answer).complete).toBe(true);
  });
});

test('--watch takes over a change of the file by itself', async () => {
  await using setup = await setUp(({ a }) => ({ backends: { a: { url: a } } }), ['--watch']);
  await setup.live('a');
  setup.program.write(
    'router.yaml',
    configText({ backends: { a: { url: setup.a.url }, b: { url: setup.b.url } } }),
  );
  await setup.live('b');
  setup.program.write('router.yaml', 'backends: [');
  await until(() => setup.program.stderr().includes('configuration not reloaded'));
  expect((await setup.status()).backends.map(({ id }) => id)).toEqual(['a', 'b']);
});

test("reloads that come at the same time do not get in each other's way", async () => {
  const engine = await startFakeEngine();
  const config = { backends: { a: { url: engine.url } } };
  await using router = await startRouter(config);
  await router.ready();
  const listen = ['127.0.0.1:0', 'localhost:0'];
  const reports = await Promise.allSettled([
    router.reload({ ...config, listen }),
    router.reload({ ...config, listen }),
    router.reload({ ...config, listen }),
  ]);
  expect(reports.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
  expect(router.app.addresses()).toHaveLength(2);
  await engine.close();
});
