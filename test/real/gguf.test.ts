import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelFile, writeModel } from './gguf.ts';
import { toHalf } from './gguf/container.ts';
import { realLlamaServer, startLlamaServer } from './llama-server.ts';
import type { LlamaServer } from './llama-server.ts';

test.each([
  [0, 0],
  [-0, 0x8000],
  [1, 0x3c00],
  [-2, 0xc000],
  [0.1, 0x2e66],
  [65_504, 0x7bff],
  [1e9, 0x7c00],
  [2 ** -14, 0x0400],
  [2 ** -24, 0x0001],
  [2 ** -30, 0],
  [0.999_99, 0x3c00],
])('toHalf of %f is the nearest half-precision number', (value, bits) => {
  expect(toHalf(value)).toBe(bits);
});

test('writeModel gives the same bytes for the same options, and other bytes for another seed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-gguf-'));
  try {
    const bytesOf = (name: string, seed: number) => {
      writeModel(join(folder, name), { seed });
      return readFileSync(join(folder, name));
    };
    expect(bytesOf('a', 1).equals(bytesOf('b', 1))).toBe(true);
    expect(bytesOf('a', 1).equals(bytesOf('c', 2))).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

interface ChatAnswer {
  readonly choices: readonly {
    readonly finish_reason: string;
    readonly message: {
      readonly content: string;
      readonly reasoning_content?: string;
      readonly tool_calls?: readonly {
        readonly function: { readonly name: string; readonly arguments: string };
      }[];
    };
  }[];
}

const { path, missing } = realLlamaServer();

/** llama-server closes idle sockets; a POST on one that is just closing would fail. */
const closing = { connection: 'close' };

async function post<Answer>(server: LlamaServer, route: string, body: object): Promise<Answer> {
  const response = await fetch(server.url + route, {
    method: 'POST',
    headers: closing,
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

// Skipped: there is no llama-server; `npm run setup` says why.
describe.skipIf(path === undefined)(`toy models on llama-server ${missing ?? ''}`, () => {
  const servers: LlamaServer[] = [];
  let chat: LlamaServer;
  let think: LlamaServer;
  beforeAll(async () => {
    chat = await startLlamaServer({ model: modelFile() });
    think = await startLlamaServer({ model: modelFile({ template: 'think' }), slots: 2 });
    servers.push(chat, think);
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  const seeds = Array.from({ length: 10 }, (_, seed) => seed);
  const ask = (server: LlamaServer, seed: number, more: object = {}) =>
    post<ChatAnswer>(server, '/v1/chat/completions', {
      messages: [{ role: 'user', content: 'tell me about the river' }],
      max_tokens: 1500,
      seed,
      ...more,
    });
  const tools = [
    {
      type: 'function',
      function: {
        name: 'get_weather',
        parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      },
    },
  ];

  test('the chat model ends its turn by itself', async () => {
    for (const seed of seeds) {
      const [choice] = (await ask(chat, seed)).choices;
      expect(choice).toMatchObject({
        finish_reason: 'stop',
        message: { content: expect.stringMatching(/\w\.$/) },
      });
    }
  });

  test('the chat model calls an offered tool with fitting arguments', async () => {
    for (const seed of seeds) {
      const [choice] = (await ask(chat, seed, { tools })).choices;
      expect(choice?.finish_reason).toBe('tool_calls');
      const called = choice?.message.tool_calls?.[0]?.function;
      expect(called?.name).toBe('get_weather');
      expect(JSON.parse(called?.arguments ?? '')).toEqual({ city: expect.any(String) });
    }
  });

  test('the thinking model thinks, then answers', async () => {
    for (const seed of seeds) {
      const [choice] = (await ask(think, seed)).choices;
      expect(choice?.finish_reason).toBe('stop');
      expect(choice?.message.reasoning_content).toMatch(/;$/);
      expect(choice?.message.content).toMatch(/\w/);
    }
  });

  test('a schema is kept to', async () => {
    const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
    const response_format = { type: 'json_schema', json_schema: { name: 'x', schema } };
    const [choice] = (await ask(chat, 1, { response_format })).choices;
    expect(JSON.parse(choice?.message.content ?? '')).toEqual({ n: expect.any(Number) });
  });

  test('a model that never stops fills its limit', async () => {
    const endless = await startLlamaServer({ model: modelFile({ stops: false }), slots: 1 });
    servers.push(endless);
    const [choice] = (await ask(endless, 1, { max_tokens: 300 })).choices;
    expect(choice?.finish_reason).toBe('length');
  });

  test('the embedding model puts like texts near each other', async () => {
    const server = await startLlamaServer({
      model: modelFile({ kind: 'embed' }),
      slots: 2,
      contextTokens: 1024,
      args: ['--embedding'],
    });
    servers.push(server);
    const { data } = await post<{ data: { embedding: number[] }[] }>(server, '/v1/embeddings', {
      input: ['the river runs', 'the river ran', 'stone and light'],
    });
    const [one = [], near = [], far = []] = data.map((item) => item.embedding);
    const likeness = (other: number[]) =>
      one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0);
    expect(one).toHaveLength(64);
    expect(likeness(near)).toBeGreaterThan(likeness(far));
  });

  test('the reranking model scores documents', async () => {
    const server = await startLlamaServer({
      model: modelFile({ kind: 'rerank' }),
      slots: 2,
      contextTokens: 1024,
      args: ['--rerank'],
    });
    servers.push(server);
    const { results } = await post<{ results: { relevance_score: number }[] }>(server, '/v1/rerank', {
      query: 'the river',
      documents: ['the river runs', 'a stone'],
    });
    expect(results.map((result) => typeof result.relevance_score)).toEqual(['number', 'number']);
  });
});
