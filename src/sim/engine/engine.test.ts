import http from 'node:http';
import net from 'node:net';

import { afterEach, describe, expect, test } from 'vitest';

import { createSimEngine, type SimEngine } from './engine.ts';
import type { SimEngineOptions, SimModel } from './options.ts';

const model: SimModel = { id: 'tiny', contextTokens: 4096, promptTokensPerS: 1e6, tokensPerS: 500 };
const path = '/v1/chat/completions';
const question = { messages: [{ role: 'user', content: 'tell me about the river' }], ignore_eos: true };
const endless = { ...question, max_tokens: 4000, stream: true };

const engines: SimEngine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
});

async function start(options: Partial<SimEngineOptions> = {}): Promise<{ engine: SimEngine; url: string }> {
  const engine = createSimEngine({ name: 'sim', models: [model], slots: 2, seed: 1, sharing: 0, ...options });
  engines.push(engine);
  const { url } = await engine.listen();
  return { engine, url };
}

async function ask(url: string, body: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  return (await response.json()) as Record<string, unknown>;
}

/** An open request; `head` resolves with its status, `text` holds what came so far. */
function open(url: string, body: unknown) {
  const opened = { text: '', head: Promise.resolve(0), destroy: () => undefined as unknown, ended: false };
  const request = http.request(url, { method: 'POST', agent: false });
  opened.head = new Promise((resolve) => {
    request.on('response', (response) => {
      resolve(response.statusCode ?? 0);
      response.on('data', (chunk: Buffer) => (opened.text += chunk.toString()));
      response.on('end', () => (opened.ended = true));
      response.on('error', () => undefined);
    });
  });
  request.on('error', () => undefined);
  request.end(JSON.stringify(body));
  opened.destroy = () => request.destroy();
  return opened;
}

/** Polls until it holds, at most 5 s. */
async function eventually(holds: () => boolean): Promise<void> {
  for (let n = 0; n < 1000; n += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('never held');
}

function only(engine: SimEngine) {
  return engine.state().models[0]!;
}

describe('slots', () => {
  test('fill, and further requests wait without a head until one is free', async () => {
    const { engine, url } = await start();
    const running = [open(url + path, endless), open(url + path, endless)];
    await Promise.all(running.map(({ head }) => head));
    const waiting = open(url + path, { ...endless, max_tokens: 3 });
    let headed = false;
    void waiting.head.then(() => (headed = true));
    await eventually(() => only(engine).queued === 1);
    expect(only(engine)).toMatchObject({ slotsBusy: 2, queued: 1 });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('llamacpp:requests_processing 2\n');
    expect(metrics).toContain('llamacpp:requests_deferred 1\n');
    expect((await fetch(`${url}/slots?fail_on_no_slot=1`)).status).toBe(503);
    expect(headed).toBe(false);
    running[0]!.destroy();
    expect(await waiting.head).toBe(200);
    await eventually(() => waiting.ended);
    expect(waiting.text).toContain('data: [DONE]');
  });

  test('are freed at the next token when a streaming client leaves', async () => {
    const { engine, url } = await start();
    const stream = open(url + path, endless);
    await eventually(() => stream.text.includes('"content"'));
    stream.destroy();
    await eventually(() => only(engine).slotsBusy === 0);
  });

  test('stay taken to the end when a client that does not stream leaves', async () => {
    const { engine, url } = await start();
    const request = open(url + path, { ...question, max_tokens: 100 });
    await eventually(() => only(engine).slotsBusy === 1);
    const leftMs = performance.now();
    request.destroy();
    await eventually(() => only(engine).slotsBusy === 0);
    // 100 tokens at 500/s, of which at most a few were made before.
    expect(performance.now() - leftMs).toBeGreaterThan(120);
    expect(only(engine).requests).toBe(1);
  });

  test('are taken by a queued request whose client left, until its first write', async () => {
    const { engine, url } = await start({ slots: 1 });
    const first = open(url + path, endless);
    await first.head;
    const gone = open(url + path, endless);
    await eventually(() => only(engine).queued === 1);
    gone.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(only(engine).queued).toBe(1);
    first.destroy();
    await eventually(() => only(engine).requests === 2 && only(engine).slotsBusy === 0);
  });
});

describe('the prompt cache', () => {
  test('grows with a conversation', async () => {
    const { url } = await start();
    const messages: unknown[] = [];
    const cached: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      messages.push({ role: 'user', content: `question number ${turn} about the river and the town` });
      const answer = await ask(url + path, { messages, max_tokens: 20 });
      const { cache_n, prompt_n } = answer['timings'] as { cache_n: number; prompt_n: number };
      cached.push(cache_n);
      expect(answer['usage']).toMatchObject({
        prompt_tokens: cache_n + prompt_n,
        prompt_tokens_details: { cached_tokens: cache_n },
      });
      messages.push((answer['choices'] as { message: unknown }[])[0]!.message);
    }
    expect(cached[0]).toBe(0);
    expect(cached[1]).toBeGreaterThan(20);
    expect(cached[2]).toBeGreaterThan(cached[1]! + 20);
  });
});

describe('connections', () => {
  /** Sends requests over one socket; resolves with all that came when the server ends it. */
  function talk(url: string, requests: string[]): Promise<{ text: string; lastedMs: number }> {
    return new Promise((resolve) => {
      const startMs = performance.now();
      const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
      let text = '';
      const left = [...requests];
      const next = () => left.length > 0 && socket.write(left.shift() ?? '');
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        next();
      });
      socket.on('end', () => resolve({ text, lastedMs: performance.now() - startMs }));
      next();
    });
  }
  const health = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';

  test('are closed after the time of idleness', async () => {
    const { url } = await start({ keepAliveMs: 200 });
    const { text, lastedMs } = await talk(url, [health]);
    expect(text).toContain('Keep-Alive: timeout=5, max=100');
    expect(lastedMs).toBeGreaterThanOrEqual(195);
    expect(lastedMs).toBeLessThan(1000);
  });

  test('are closed with the last request that they may carry, which says so', async () => {
    const { url } = await start({ socketRequestsMax: 3 });
    const { text } = await talk(url, [health, health, health, health]);
    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(3);
    expect(text.match(/Connection: close/g)).toHaveLength(1);
  });

  test('are closed after every stream and every error', async () => {
    const { url } = await start();
    const body = JSON.stringify({ ...question, stream: true, max_tokens: 2 });
    const stream = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    expect((await talk(url, [stream])).text).toContain('data: [DONE]');
    expect((await talk(url, ['GET /none HTTP/1.1\r\nHost: x\r\n\r\n'])).text).toContain('Connection: close');
  });
});

describe('answers', () => {
  test('are the same for the same seed, and obey max_tokens and stop', async () => {
    const { url } = await start();
    const content = async (body: object) => {
      const { choices, usage } = await ask(url + path, { ...question, max_tokens: 30, seed: 5, ...body });
      const [choice] = choices as { finish_reason: string; message: { content: string } }[];
      return {
        text: choice!.message.content,
        finish: choice!.finish_reason,
        usage: usage as Record<string, number>,
      };
    };
    const whole = await content({});
    expect(whole).toMatchObject({ finish: 'length', usage: { completion_tokens: 30 } });
    expect((await content({})).text).toBe(whole.text);
    const stop = whole.text.slice(20, 30);
    const stopped = await content({ stop: [stop] });
    expect(stopped).toMatchObject({ text: whole.text.slice(0, whole.text.indexOf(stop)), finish: 'stop' });
    const streamed = await fetch(url + path, {
      method: 'POST',
      body: JSON.stringify({ ...question, max_tokens: 30, seed: 5, stop: [stop], stream: true }),
    });
    const deltas = [...(await streamed.text()).matchAll(/"delta":\{"content":("(?:[^"\\]|\\.)*")\}/g)];
    expect(deltas.map((found) => JSON.parse(found[1]!) as string).join('')).toBe(stopped.text);
  });

  test('end with "length" where the slot is full', async () => {
    const { url } = await start({ models: [{ ...model, contextTokens: 64, tokensPerS: 5000 }] });
    const { usage, choices } = await ask(url + path, question);
    expect(usage).toMatchObject({ total_tokens: 64 });
    expect(choices).toMatchObject([{ finish_reason: 'length' }]);
  });

  test('call a tool, and use words after its result', async () => {
    const { url } = await start();
    const tools = [
      { type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } },
    ];
    const call = await ask(url + path, { messages: question.messages, tools });
    expect(call['choices']).toMatchObject([
      {
        finish_reason: 'tool_calls',
        message: { tool_calls: [{ function: { name: 'look', arguments: '{}' } }] },
      },
    ]);
    const messages = [...question.messages, { role: 'tool', content: 'seen' }];
    const words = await ask(url + path, { messages, tools, max_tokens: 20 });
    expect(words['choices']).toMatchObject([{ message: { content: expect.stringContaining('The') } }]);
  });

  test('say how they ended only after the last piece', async () => {
    const { url } = await start();
    const body = JSON.stringify({ ...question, max_tokens: 1, stream: true });
    const chat = await (await fetch(url + path, { method: 'POST', body })).text();
    expect(chat.match(/"finish_reason":(null|"length")/g)).toEqual([
      '"finish_reason":null',
      '"finish_reason":null',
      '"finish_reason":"length"',
    ]);
    const messages = await (await fetch(`${url}/v1/messages`, { method: 'POST', body })).text();
    expect(messages.match(/"stop_reason":(null|"max_tokens")/g)).toEqual([
      '"stop_reason":null',
      '"stop_reason":"max_tokens"',
    ]);
  });

  test('say who made them', async () => {
    const { url } = await start();
    expect(await ask(url + path, { ...question, max_tokens: 1 })).toMatchObject({
      system_fingerprint: 'llamero-sim',
    });
    expect(await (await fetch(`${url}/props`)).json()).toMatchObject({
      build_info: 'llamero-sim',
      total_slots: 2,
    });
  });
});

describe('loading', () => {
  test('is answered with 503 by everything, then it is ready', async () => {
    const { url } = await start({ models: [{ ...model, loadMs: 200 }] });
    expect((await fetch(`${url}/health`)).status).toBe(503);
    const refused = await ask(url + path, question);
    expect(refused).toEqual({ error: { message: 'Loading model', type: 'unavailable_error', code: 503 } });
    let ready = false;
    const poll = setInterval(() => void fetch(`${url}/health`).then(({ ok }) => (ready ||= ok)), 20);
    await eventually(() => ready);
    clearInterval(poll);
  });

  test('is not mistaken for a single model', () => {
    expect(() => createSimEngine({ name: 'two', models: [model, model], slots: 1, seed: 1 })).toThrow(
      'set router',
    );
  });
});

describe('router mode', () => {
  const models = ['a', 'b', 'c'].map((id) => ({ ...model, id, loadMs: 50 })) as [SimModel, ...SimModel[]];
  const statuses = (engine: SimEngine) => engine.state().models.map(({ status }) => status);
  const brief = { ...question, max_tokens: 2 };

  test('loads on demand and stops the idle model used longest ago', async () => {
    const { engine, url } = await start({ models, router: { modelsMax: 2 } });
    for (const id of ['a', 'b', 'a', 'c']) {
      expect(await ask(url + path, { ...brief, model: id })).toMatchObject({ model: id });
    }
    expect(statuses(engine)).toEqual(['loaded', 'unloaded', 'loaded']);
  });

  test('makes a third model wait while all that are loaded are busy', async () => {
    const { engine, url } = await start({ models, router: { modelsMax: 2 } });
    const busy = [open(url + path, { ...endless, model: 'a' }), open(url + path, { ...endless, model: 'b' })];
    await Promise.all(busy.map(({ head }) => head));
    const third = ask(url + path, { ...brief, model: 'c' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(statuses(engine)).toEqual(['loaded', 'loaded', 'unloaded']);
    busy[0]!.destroy();
    expect(await third).toMatchObject({ model: 'c' });
    expect(statuses(engine)).toEqual(['unloaded', 'loaded', 'loaded']);
  });

  test('ends a stream with raw text when its model is unloaded', async () => {
    const { url } = await start({ models, router: { modelsMax: 2 } });
    const stream = open(url + path, { ...endless, model: 'a' });
    await eventually(() => stream.text.includes('"content"'));
    expect(await ask(`${url}/models/unload`, { model: 'a' })).toEqual({ success: true });
    await eventually(() => stream.ended);
    expect(stream.text.endsWith('\n\nproxy error: Failed to read connection')).toBe(true);
  });
});
