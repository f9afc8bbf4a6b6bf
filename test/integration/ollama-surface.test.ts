/** Ollama's API about models, over two Ollamas and a llama-server, asked by Ollama's own client. */
import { createHash, randomBytes } from 'node:crypto';
import { createServer, request } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Ollama } from 'ollama';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startFakeOllama } from '../fake-engine/fake-ollama.ts';
import type { FakeOllama } from '../fake-engine/fake-ollama.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import type { FakeEngine } from '../fake-engine/start.ts';
import { ask } from './client.ts';
import { withModels } from './fake-models.ts';
import { startRouter, until } from './start-router.ts';
import type { TestRouter } from './start-router.ts';

let one: FakeOllama;
let two: FakeOllama;
let llama: FakeEngine;
let router: TestRouter;
let client: Ollama;

const ids = ['one', 'two', 'llama'];

beforeAll(async () => {
  llama = await startFakeEngine({
    models: [{ id: 'org/tiny-GGUF:Q8_0', contextTokens: 4096, promptTokensPerS: 50_000, tokensPerS: 2000 }],
  });
});
afterAll(() => llama.close());

beforeEach(async () => {
  one = await startFakeOllama({ models: ['llama3', 'qwen3:8b'] });
  two = await startFakeOllama({ models: ['llama3'], version: '0.12.11' });
  router = await startRouter({
    backends: {
      one: { url: one.url, engine: 'ollama' },
      two: { url: two.url, engine: 'ollama' },
      llama: { url: llama.url, engine: 'llamacpp' },
    },
  });
  await router.ready(ids);
  client = new Ollama({ host: router.url });
});
afterEach(async () => {
  await router[Symbol.asyncDispose]();
  await Promise.all([one.close(), two.close()]);
});

const post = (path: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
  ask(router.url + path, { body, headers }).answer;
const linesOf = (body: Buffer): Record<string, unknown>[] =>
  body
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('lists', () => {
  test('show every model of the fleet once, with where it is', async () => {
    const { models } = await client.list();
    expect(models.map(({ name }) => name)).toEqual(['llama3:latest', 'org/tiny-GGUF:Q8_0', 'qwen3:8b']);
    expect(models[0]).toMatchObject({
      size: 4000,
      details: { family: 'llama', quantization_level: 'Q4_0' },
      llamero: { backends: ['one', 'two'] },
    });
    expect(models[1]).toMatchObject({
      details: { quantization_level: 'F16' },
      llamero: { backends: ['llama'] },
    });
    for (const { digest, modified_at: modified } of models) {
      expect(digest).toMatch(/^[0-9a-f]{64}$/);
      expect(Date.parse(String(modified))).toBeGreaterThan(0);
    }
  });

  test('show what is in memory', async () => {
    two.loaded.add('llama3:latest');
    await until(async () => (await client.ps()).models.length === 2);
    const { models } = await client.ps();
    expect(models).toMatchObject([
      { name: 'llama3:latest', size_vram: 3000, expires_at: '2026-01-02T03:09:05Z', context_length: 8192 },
      { name: 'org/tiny-GGUF:Q8_0', context_length: 4096 },
    ]);
  });

  test('show what is in memory of each backend by itself', async () => {
    one.loaded.add('llama3:latest');
    two.loaded.add('llama3:latest');
    const rows = async () => {
      const answer = await ask(`${router.url}/api/ps_details`).answer;
      return (answer.json()['models'] as { name: string; endpoint: string }[]).map(({ name, endpoint }) => [
        name,
        endpoint,
      ]);
    };
    await until(async () => (await rows()).length === 3);
    expect(await rows()).toEqual([
      ['llama3:latest', 'one'],
      ['llama3:latest', 'two'],
      ['org/tiny-GGUF:Q8_0', 'llama'],
    ]);
  });

  test('may be read by a page of any origin, and are answered to HEAD without a body', async () => {
    const headers = { origin: 'https://example.org' };
    const answer = await ask(`${router.url}/api/tags`, { headers }).answer;
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'https://example.org',
      'content-type': 'application/json; charset=utf-8',
    });
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    const head = await ask(`${router.url}/api/tags`, { method: 'HEAD' }).answer;
    expect([head.status, head.body.length]).toEqual([200, 0]);
  });
});

describe('what is shown of a model', () => {
  test('is what its Ollama says, under any spelling of its name', async () => {
    const shown = await client.show({ model: 'registry.ollama.ai/library/llama3' });
    expect(shown).toMatchObject({ modelfile: '# fake', model_info: { 'llama.context_length': 131_072 } });
    const asked = [...one.asked, ...two.asked].filter(({ path }) => path === '/api/show');
    expect(asked).toMatchObject([{ body: { model: 'llama3:latest' } }]);
  });

  test('of a llama-server has what it says of itself', async () => {
    const shown = await client.show({ model: 'hf.co/org/tiny-GGUF' });
    expect(shown).toMatchObject({
      details: { quantization_level: 'F16' },
      model_info: { 'general.architecture': 'unknown', 'unknown.context_length': 4096 },
    });
    expect(shown.capabilities).toContain('completion');
    expect(shown.parameters).toContain('num_ctx');
    const asked = (await llama.report()).requests.map(({ path }) => path);
    expect(asked).toContain('/props?model=org%2Ftiny-GGUF%3AQ8_0&autoload=false');
  });

  test("is Ollama's own 404 when nobody has it", async () => {
    await expect(client.show({ model: 'nope' })).rejects.toMatchObject({
      status_code: 404,
      message: "model 'nope' not found",
    });
  });

  test('is told by the next Ollama when one does not answer', async () => {
    one.fail('/api/show', { status: 500, message: 'broken' });
    expect(await client.show({ model: 'llama3' })).toMatchObject({ modelfile: '# fake' });
  });
});

describe('a pull', () => {
  test('is done by every Ollama, as one stream', async () => {
    const parts = [];
    for await (const part of await client.pull({ model: 'gemma3', stream: true })) parts.push(part);
    expect(parts.at(-1)).toEqual({ status: 'success', backends: ['one', 'two'] });
    expect(parts.filter(({ status }) => status === 'pulling manifest')).toHaveLength(1);
    const sums = parts.filter(({ digest }) => digest !== undefined);
    expect(sums.at(-1)).toMatchObject({ total: 200, completed: 200 });
    const completed = sums.map((part) => part.completed);
    expect(completed).toEqual(completed.toSorted((low, high) => low - high));
    for (const ollama of [one, two]) {
      expect([...ollama.models]).toContain('gemma3:latest');
      const asked = ollama.asked.filter(({ path }) => path === '/api/pull');
      expect(asked).toMatchObject([{ body: { model: 'gemma3', stream: true } }]);
    }
    // Nobody has to wait for the next probe.
    await until(async () => (await client.list()).models.some(({ name }) => name === 'gemma3:latest'));
  });

  test('without a stream is one answer', async () => {
    expect(await client.pull({ model: 'gemma3' })).toEqual({ status: 'success', backends: ['one', 'two'] });
  });

  test('that fails in one place says where, and where not', async () => {
    two.fail('/api/pull', { message: 'no space left on device' });
    const read = async (): Promise<void> => {
      for await (const part of await client.pull({ model: 'gemma3', stream: true })) {
        expect(part.status).not.toBe('success');
      }
    };
    await expect(read()).rejects.toThrow('backend two: no space left on device (succeeded: one)');
    expect(router.logLines).toContainEqual(
      expect.objectContaining({
        msg: 'Model pull failed',
        failed: { two: 'no space left on device' },
        succeeded: ['one'],
      }),
    );
  });

  test('that fails everywhere before it began has a status', async () => {
    for (const ollama of [one, two]) ollama.fail('/api/pull', { status: 400, message: 'invalid model name' });
    await expect(client.pull({ model: 'bad name', stream: true })).rejects.toMatchObject({
      status_code: 400,
      message: 'backend one: invalid model name; backend two: invalid model name',
    });
  });

  test('shows an Ollama that is away', async () => {
    await two.close();
    const answer = await post('/api/pull', { model: 'gemma3' });
    expect(answer.status).toBe(200);
    expect(linesOf(answer.body).at(-1)).toMatchObject({
      error: expect.stringMatching(
        /^backend two: connect failed: ECONNREFUSED.* \(succeeded: one\)$/,
      ) as string,
    });
  });

  test('that would go in a circle of routers ends', async () => {
    await router.reload({ backends: { self: { url: router.url, engine: 'ollama' } } });
    const answer = await post('/api/pull', { model: 'gemma3' });
    expect(answer.status).toBe(508);
    expect(answer.json()).toMatchObject({
      error: expect.stringContaining('came back to this router') as string,
    });
  });

  test('is given up when its client leaves', async () => {
    const gone: string[] = [];
    const slow = createServer((asked, response) => {
      if (asked.url !== '/api/pull') {
        response.end(JSON.stringify(asked.url === '/api/version' ? { version: '1.0.0' } : { models: [] }));
        return;
      }
      response.write('{"status":"pulling manifest"}\n');
      response.on('close', () => gone.push('slow'));
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
    await router.reload({ backends: { slow: { url, engine: 'ollama' } } });
    const asking = ask(`${router.url}/api/pull`, { body: { model: 'gemma3' } });
    await asking.head;
    asking.answer.catch(() => {});
    asking.leave();
    await until(() => gone.length === 1);
    slow.closeAllConnections();
    slow.close();
  });
});

describe('other verbs', () => {
  test('push goes out from one Ollama that has the model', async () => {
    expect(await client.push({ model: 'qwen3:8b' })).toEqual({ status: 'success', backends: ['one'] });
    expect(two.asked.filter(({ path }) => path === '/api/push')).toEqual([]);
  });

  test('create, copy and delete are done everywhere', async () => {
    await client.create({ model: 'mine', from: 'llama3', system: 'Be short.' });
    expect(await client.copy({ source: 'mine', destination: 'yours' })).toEqual({ status: 'success' });
    for (const ollama of [one, two]) {
      expect([...ollama.models]).toEqual(expect.arrayContaining(['mine:latest', 'yours:latest']));
      expect(ollama.asked).toContainEqual(
        expect.objectContaining({
          path: '/api/create',
          body: { model: 'mine', from: 'llama3', system: 'Be short.', stream: true },
        }),
      );
    }
    await client.delete({ model: 'yours' });
    expect([...one.models, ...two.models]).not.toContain('yours:latest');
  });

  test('delete is done when some have it, and 404 when nobody has', async () => {
    await client.delete({ model: 'qwen3:8b' });
    expect([...one.models]).toEqual(['llama3:latest']);
    await expect(client.delete({ model: 'qwen3:8b' })).rejects.toMatchObject({
      status_code: 404,
      message: "model 'qwen3:8b' not found",
    });
  });

  test.each<[string, string, string | object, number, string]>([
    ['POST', '/api/pull', '', 400, 'missing request body'],
    ['POST', '/api/pull', '{', 400, 'The body is not a JSON object'],
    ['POST', '/api/pull', {}, 400, 'model is required'],
    ['POST', '/api/copy', { source: 'a' }, 400, 'destination is required'],
    ['DELETE', '/api/delete', { model: 7 }, 400, 'model is required'],
    ['GET', '/api/pull', '', 405, '/api/pull takes POST'],
    ['POST', '/api/blobs/sha256:12', 'x', 400, 'invalid digest format'],
  ])('%s %s with %j is refused with %i', async (method, path, body, status, message) => {
    const answer = await ask(router.url + path, { method, body }).answer;
    expect([answer.status, answer.json()]).toEqual([status, { error: message }]);
  });

  test('are not for pages of other sites', async () => {
    const answer = await post('/api/pull', { model: 'gemma3' }, { origin: 'https://example.org' });
    expect(answer.status).toBe(403);
    expect(one.asked.filter(({ path }) => path === '/api/pull')).toEqual([]);
  });
});

describe('a blob', () => {
  const content = randomBytes(3 * 1024 * 1024);
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const path = `/api/blobs/${digest}`;
  const head = async (): Promise<number> => (await ask(router.url + path, { method: 'HEAD' }).answer).status;

  test('goes to every Ollama, and is there when all have it', async () => {
    expect(await head()).toBe(404);
    const first = await ask(router.url + path, { body: content }).answer;
    expect([first.status, first.body.length]).toEqual([201, 0]);
    for (const ollama of [one, two]) expect(ollama.blobs.get(digest)).toBe(content.length);
    expect(await head()).toBe(200);
    expect((await ask(router.url + path, { body: content }).answer).status).toBe(200);
    two.blobs.clear();
    expect(await head()).toBe(404);
  });

  test('that is not what it says it is, is kept by nobody', async () => {
    const answer = await ask(router.url + path, { body: Buffer.from('something else') }).answer;
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ error: expect.stringContaining('digest mismatch') as string });
    expect([one.blobs.size, two.blobs.size]).toEqual([0, 0]);
  });

  test('that one does not take, says so', async () => {
    two.fail('/api/blobs', { status: 500, message: 'disk full' });
    const answer = await ask(router.url + path, { body: content }).answer;
    expect([answer.status, answer.json()]).toEqual([
      500,
      { error: 'backend two: disk full (succeeded: one)' },
    ]);
    expect(one.blobs.get(digest)).toBe(content.length);
  });

  test('passes no faster than the slowest takes it, and is never held', async () => {
    // Accepts the connection and reads nothing.
    const stuck = createTcpServer((socket) => void socket.pause());
    await new Promise<void>((resolve) => stuck.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(stuck.address() as AddressInfo).port}`;
    await router.reload({
      backends: { one: { url: one.url, engine: 'ollama' }, stuck: { url, engine: 'ollama' } },
    });
    const upload = request(router.url + path, { method: 'POST' });
    upload.on('error', () => {});
    const piece = Buffer.alloc(1024 * 1024);
    let pieces = 0;
    await until(() => {
      upload.write(piece);
      pieces += 1;
      // What nobody takes stays with the client.
      return upload.writableLength > 32 * piece.length;
    });
    expect(pieces * piece.length - upload.writableLength).toBeLessThan(64 * piece.length);
    upload.destroy();
    await router.reload({ backends: { one: { url: one.url, engine: 'ollama' } } });
    stuck.close();
  });
});

describe('who asks whether it is up', () => {
  test.each(['GET', 'HEAD'])('is told with %s /', async (method) => {
    const answer = await ask(router.url, { method }).answer;
    expect([answer.status, answer.body.toString()]).toEqual([
      200,
      method === 'GET' ? 'Ollama is running' : '',
    ]);
  });

  test('is sent to the page when it is a browser and there is no engine that nobody has to name', async () => {
    await using other = await startRouter(await withModels({ m: {} }));
    const page = await ask(other.url, { headers: { accept: 'text/html' } }).answer;
    expect([page.status, page.headers['location']]).toEqual([302, '/monitor']);
    expect((await ask(other.url).answer).body.toString()).toBe('Ollama is running');
  });

  test('gets the lowest version of the Ollamas, and ours beside it', async () => {
    expect(await client.version()).toEqual({
      version: '0.12.11',
      commit: 'unknown',
      build_date: 'unknown',
      llamero: 'test',
    });
    const status = await ask(`${router.url}/api/status`).answer;
    expect(status.json()).toMatchObject({ cloud: { disabled: true, source: 'none' }, draining: false });
  });
});

describe('without an Ollama', () => {
  test('a pull has nobody to do it, and lists show what there is', async () => {
    await router.reload({ backends: { llama: { url: llama.url, engine: 'llamacpp' } } });
    await router.ready(['llama']);
    await expect(client.pull({ model: 'x' })).rejects.toMatchObject({ status_code: 501 });
    expect((await client.list()).models).toHaveLength(1);
    expect((await client.version()).version).toBe('0.14.0');
  });

  test('with keys, nothing is told to who has none', async () => {
    await router.reload({ backends: {}, apiKeys: ['secret'] });
    for (const path of ['/', '/api/tags', '/api/ps', '/api/version']) {
      expect((await ask(router.url + path).answer).status).toBe(401);
    }
    const known = new Ollama({ host: router.url, headers: { authorization: 'Bearer secret' } });
    expect(await known.list()).toEqual({ models: [] });
  });
});

describe('text and vectors', () => {
  test('of an Ollama pass as they are', async () => {
    const whole = await client.chat({ model: 'llama3', messages: [{ role: 'user', content: 'Hi' }] });
    expect(whole).toMatchObject({ message: { content: 'Hello' }, done: true, eval_count: 2 });
    const parts = [];
    for await (const part of await client.chat({ model: 'llama3', stream: true, messages: [] }))
      parts.push(part);
    expect(parts.map(({ done }) => done)).toEqual([false, true]);
    expect(await client.generate({ model: 'llama3', prompt: 'Hi' })).toMatchObject({ response: 'Hello' });
    expect(await client.embed({ model: 'llama3', input: ['a', 'b'] })).toMatchObject({
      embeddings: [
        [0, 1],
        [1, 1],
      ],
    });
    expect(await client.embeddings({ model: 'llama3', prompt: 'a' })).toEqual({ embedding: [0.5, 1] });
  });
});
