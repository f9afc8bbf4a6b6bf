/** What a requested name stands for, and what the request looks like when it arrives: models with processes of ours. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FakeEngineReport } from '../fake-engine/fake-engine.ts';
import { ask, chat } from './client.ts';
import { freePorts } from './free-ports.ts';
import { headersOf, posts } from './seen-requests.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

const program = join(import.meta.dirname, '../fake-engine/main.ts');

/** A model whose process is a fake engine, slow enough to be met at work; `engine`: what it calls the model itself. */
function fake(engine: string, more: object = {}): object {
  return {
    cmd: `'${process.execPath}' '${program}' --port \${PORT} --model ${engine} --tokens-per-s 40`,
    proxy: 'http://127.0.0.1:${PORT}',
    ...more,
  };
}

async function startModels(config: object): Promise<TestRouter> {
  return startRouter({ startPort: await freePorts(4), ...config });
}

/** The engine behind a model that is loaded: asked through its own control paths. */
async function engineOf(router: TestRouter, model: string) {
  const { backends } = await router.status();
  const url = backends.find(({ id }) => id === model)?.url ?? '';
  return {
    report: async () =>
      (await (await fetch(`${url.replace(/\/$/, '')}/__requests`)).json()) as FakeEngineReport,
  };
}

async function lastPost(router: TestRouter, model: string) {
  const request = (await posts(await engineOf(router, model))).at(-1);
  if (request === undefined) throw new Error(`${model} was not asked`);
  return request;
}

const modelIn = (body: string) => (JSON.parse(body) as { model: string }).model;

test('an alias is for finding the model only: the body stays byte for byte', async () => {
  await using router = await startModels({ models: { big: fake('big', { aliases: ['gpt-4'] }) } });
  const body =
    '{"messages":[{"role":"user","content":"\\u00e4"}], "seed":12345678901234567890 ,"model":"gpt-4" ,"stream":true}';
  const answer = await ask(`${router.url}/v1/chat/completions`, { body }).answer;
  expect([answer.status, answer.headers['x-llamero-backend']]).toEqual([200, 'big']);
  expect((await lastPost(router, 'big')).body).toBe(body);
  const { recent } = (await ask(`${router.url}/api/requests`).answer).json() as { recent: object[] };
  expect(recent[0]).toMatchObject({ model_id: 'big', requested_model: 'gpt-4' });
});

describe('UTL-9 the edits of a model', () => {
  const models = {
    big: fake('real', {
      aliases: ['gpt-4'],
      cancelNonStreaming: false,
      useModelName: 'real',
      filters: {
        stripParams: 'temperature, top_k',
        setParams: { seed: 7, 'chat_template_kwargs.enable_thinking': false },
        setParamsByID: { 'big:high': { max_tokens: 3 } },
      },
    }),
  };

  test('rename, strip, set, and set by the requested name', async () => {
    await using router = await startModels({ models });
    const send = (model: string) =>
      chat(router.url, { model, temperature: 1, chat_template_kwargs: { x: 1 } }).answer;
    expect((await send('gpt-4')).status).toBe(200);
    expect(JSON.parse((await lastPost(router, 'big')).body)).toEqual({
      model: 'real',
      messages: [{ role: 'user', content: 'tell me of the river' }],
      max_tokens: 8,
      chat_template_kwargs: { x: 1, enable_thinking: false },
      seed: 7,
    });
    await send('big:high');
    expect(JSON.parse((await lastPost(router, 'big')).body)).toMatchObject({ model: 'real', max_tokens: 3 });
  });

  test('rename in forms and queries, where files and other fields stay', async () => {
    await using router = await startModels({ models });
    const multipart = (model: string) =>
      [
        '--edge',
        'Content-Disposition: form-data; name="file"; filename="gpt-4.wav"',
        '',
        'model\x00gpt-4',
        '--edge',
        'Content-Disposition: form-data; name="model"',
        '',
        model,
        '--edge--',
        '',
      ].join('\r\n');
    await ask(`${router.url}/v1/audio/transcriptions`, {
      body: multipart('gpt-4'),
      headers: { 'content-type': 'multipart/form-data; boundary=edge' },
    }).answer;
    const upload = await lastPost(router, 'big');
    expect(upload.body).toBe(multipart('real'));
    expect(headersOf(upload).get('content-length')).toBe(String(multipart('real').length));
    await ask(`${router.url}/v1/audio/speech`, {
      body: 'input=a+b&model=gpt-4',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    }).answer;
    expect((await lastPost(router, 'big')).body).toBe('input=a+b&model=real');
    await ask(`${router.url}/props?x=%41&model=big`).answer;
    const { requests } = await (await engineOf(router, 'big')).report();
    expect(requests.map(({ path }) => path)).toContain('/props?x=%41&model=real');
  });
});

test('SRV-15 a request through a pin has the name, the filters and the parameters of what it stands for', async () => {
  await using router = await startModels({
    models: {
      big: fake('big', { filters: { setParams: { seed: 1 }, setParamsByID: { 'big:high': { seed: 2 } } } }),
      small: fake('small'),
    },
    profiles: {
      day: { pins: { 'gpt-4': 'big:high', small: 'big', off: null } },
      night: { pins: { 'gpt-4': 'small' } },
    },
  });
  const { profile } = router.app;
  expect((await chat(router.url, { model: 'gpt-4' }).answer).status).toBe(404);
  profile.choose('day');
  const pinned = await chat(router.url, { model: 'gpt-4' }).answer;
  expect([pinned.status, pinned.headers['x-llamero-backend']]).toEqual([200, 'big']);
  expect(JSON.parse((await lastPost(router, 'big')).body)).toMatchObject({ model: 'big:high', seed: 2 });
  await chat(router.url, { model: 'small' }).answer;
  expect(JSON.parse((await lastPost(router, 'big')).body)).toMatchObject({ model: 'big', seed: 1 });
  const off = await chat(router.url, { model: 'off' }).answer;
  expect([off.status, off.json()]).toMatchObject([404, { error: { code: 'model_not_found' } }]);
  profile.choose('night');
  expect((await chat(router.url, { model: 'gpt-4' }).answer).headers['x-llamero-backend']).toBe('small');
  expect(modelIn((await lastPost(router, 'small')).body)).toBe('small');
});

describe('SRV-16 selectors', () => {
  const together = { all: { swap: false, exclusive: false, members: ['a', 'b'] } };
  const models = { a: fake('a'), b: fake('b') };
  const backendOf = async (router: TestRouter, model: string) =>
    (await chat(router.url, { model }).answer).headers['x-llamero-backend'];

  test('warm takes what is loaded, and the first where nothing is', async () => {
    const selectors = { any: { strategy: 'warm', targets: ['a', 'b'] } };
    await using router = await startModels({ models, groups: together, selectors });
    await chat(router.url, { model: 'b' }).answer;
    expect(await backendOf(router, 'any')).toBe('b');
    expect(modelIn((await lastPost(router, 'b')).body)).toBe('b');
  });

  test('spillover opens the next at its cap, and counts what left in whatever way', async () => {
    const selectors = { spill: { strategy: 'spillover', targets: ['a', 'b'], settings: { spillover: 1 } } };
    const slow = { model: 'spill', stream: true, max_tokens: 1000 };
    await using router = await startModels({ models, groups: together, selectors });
    const first = chat(router.url, slow);
    const second = chat(router.url, slow);
    expect([(await first.head).headers, (await second.head).headers]).toMatchObject([
      { 'x-llamero-backend': 'a' },
      { 'x-llamero-backend': 'b' },
    ]);
    second.leave();
    await until(async () => (await router.status()).requests.in_flight === 1);
    // `a` is at its cap still, `b` free again.
    expect(await backendOf(router, 'spill')).toBe('b');
    first.leave();
    await until(async () => (await router.status()).requests.in_flight === 0);
    const { recent } = (await ask(`${router.url}/api/requests`).answer).json() as { recent: object[] };
    expect(recent).toMatchObject([1, 2, 3].map(() => ({ requested_model: 'spill', selector: 'spill' })));
  });
});

test('a model takes no more requests than its limit allows, whatever name they use', async () => {
  await using router = await startModels({
    models: { big: fake('big', { aliases: ['gpt-4'], concurrencyLimit: 2 }) },
  });
  const slow = { stream: true, max_tokens: 1000 };
  const running = [
    chat(router.url, { ...slow, model: 'big' }),
    chat(router.url, { ...slow, model: 'gpt-4' }),
  ];
  await Promise.all(running.map(({ head }) => head));
  const refused = await chat(router.url, { model: 'gpt-4' }).answer;
  expect([refused.status, refused.json()]).toMatchObject([429, { error: { code: 'concurrency_limit' } }]);
  for (const asking of running) asking.leave();
});

test('a model without a limit of its own answers a burst: what its slots do not take waits', async () => {
  await using router = await startModels({
    models: { one: fake('one') },
  });
  const burst = Array.from({ length: 20 }, () => chat(router.url, { model: 'one', max_tokens: 1 }).answer);
  const statuses = (await Promise.all(burst)).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200]));
});

test('where all models have processes, a native route needs to be told which, and an unknown path is none', async () => {
  await using router = await startModels({ models: { a: fake('a'), b: fake('b') } });
  const tokenize = (more: object) =>
    ask(`${router.url}/tokenize`, { body: { content: 'x', ...more } }).answer;
  expect((await tokenize({})).json()).toMatchObject({ error: { code: 'model_missing' } });
  expect((await tokenize({ model: 'b' })).headers['x-llamero-backend']).toBe('b');
  const page = await ask(`${router.url}/some/page.html`).answer;
  expect([page.status, page.json()]).toMatchObject([404, { error: { code: 'not_found' } }]);
  await router.reload({ startPort: await freePorts(2), models: { a: fake('a') } });
  await until(async () => (await router.status()).backends.length === 1);
  expect((await tokenize({})).headers['x-llamero-backend']).toBe('a');
});

test('the priority of a model is that of its requests, whatever name they use', async () => {
  await using router = await startModels({
    models: {
      high: fake('high', {
        aliases: ['gpt-4'],
        cmd: `'${process.execPath}' -e 'setInterval(() => {}, 1000)' \${PORT}`,
      }),
    },
    routing: { scheduler: { use: 'fifo', settings: { fifo: { priority: { high: 10 } } } } },
  });
  const asking = chat(router.url, { model: 'gpt-4' });
  const queued = async () => {
    const body = (await ask(`${router.url}/api/requests`).answer).json();
    return body['queued'] as { model_id: string; priority: number }[];
  };
  await until(async () =>
    (await queued()).some(({ model_id: id, priority }) => id === 'high' && priority === -9),
  );
  asking.leave();
});

test('an unknown name gets 404 with the nearest of all names', async () => {
  await using router = await startModels({
    models: { 'qwen-large': fake('x', { aliases: ['the-alias'] }) },
    selectors: { 'selector-one': { strategy: 'pin', targets: ['qwen-large'] } },
  });
  for (const [asked, near] of [
    ['qwen-larg', 'qwen-large'],
    ['the-alia', 'the-alias'],
    ['selector-on', 'selector-one'],
  ] as const) {
    const answer = await chat(router.url, { model: asked }).answer;
    expect([answer.status, answer.body.toString()]).toEqual([
      404,
      expect.stringContaining(`No backend serves model '${asked}' (did you mean '${near}'?)`),
    ]);
  }
});

test('SRV-7 the list says what is loaded, and tells the page that asks that it may read it', async () => {
  await using router = await startModels({
    models: {
      a: fake('own-name', { metadata: { note: 1 }, capabilities: { in: ['text'], context: 512 } }),
      b: fake('b', { unlisted: true, aliases: ['bee'] }),
    },
  });
  await chat(router.url, { model: 'a' }).answer;
  const answer = await ask(`${router.url}/v1/models`, { headers: { origin: 'http://page.example' } }).answer;
  expect(answer.headers['access-control-allow-origin']).toBe('http://page.example');
  expect(answer.json()['data']).toMatchObject([
    {
      id: 'a',
      status: { value: 'loaded' },
      context_length: 512,
      meta: { n_ctx: 512, llamaswap: { type: 'model', note: 1 } },
      llamero: { loaded: true },
    },
  ]);
  const hidden = await ask(`${router.url}/v1/models/bee`).answer;
  expect(hidden.json()).toMatchObject({ id: 'b', status: { value: 'unloaded' } });
});
